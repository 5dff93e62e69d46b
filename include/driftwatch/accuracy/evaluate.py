"""Compares the model's answers with people's labels, on the day's random sample only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.accuracy.day_verdict import DayVerdict, judge_day
from driftwatch.accuracy.evidence import Evidence, evidence_of, own_score
from driftwatch.accuracy.history import ScoredDay, days_before, revisions
from driftwatch.accuracy.policy import Verdict
from driftwatch.artifacts.accuracy import Estimate, LabelAgreement, Performance
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.drift.whylogs_profiles import performance_content_hash, performance_profile
from driftwatch.errors import DriftwatchError
from driftwatch.images.late import late_images
from driftwatch.labels.consensus import counted_votes, krippendorff_alpha, unanimous
from driftwatch.models.as_trained import as_trained
from driftwatch.models.metrics import measure

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.keys import DayKeys
    from driftwatch.artifacts.parts import Share

# Says why a verdict is as it is: `driftwatch.view.verdicts.reasons`.
InWords = Callable[[Verdict], Sequence[str]]


@dataclass(frozen=True)
class _Tables:
    """What is compared. `sample`: labels.parquet; `scored`: those of it with a label, and the model's answer; `votes`: the counted ones."""

    version: str
    sample: pd.DataFrame
    predictions: pd.DataFrame
    assignments: pd.DataFrame
    scored: pd.DataFrame
    votes: pd.DataFrame


def evaluate_day(day: DayStore, holdout: Share, in_words: InWords) -> Performance:
    """Joins labels.parquet with predictions.parquet; writes performance.json and the whylogs performance profile.

    `holdout`: the model's accuracy on its holdout. Scored are the images of the sample with a label; how many have none, and
    why, is counted beside: sampled = consensus + ties + unclear + unanswered. `labels` (scored) is more than `consensus` where
    `on_tie` breaks ties. Without a single label there is no profile and no `content_hash` of it. Returns what performance.json holds.

    `accuracy` is the agreement with the labels as they are, `corrected` what it is without the labels' own errors, `judged` what the
    verdict rests on: the day's, or that of some days together. The verdict depends on the artifacts of this day and of those
    before it alone, so that a repeated day has the same one.
    """
    tables = _read(day)
    day = day.with_config(as_trained(day.monitor, tables.version))
    evidence = _evidence(day, tables)
    today = ScoredDay(day.date, tables.version, tuple(day.config.classes), evidence)
    judged = judge_day(today, days_before(day.monitor, day.date), day.config, holdout)
    performance = _performance(day, tables, today, judged, holdout, in_words(judged.verdict))
    content_hash = _write_profile(day, tables.scored)
    if content_hash is not None:
        performance = performance.model_copy(update={"content_hash": content_hash})
    performance = performance.model_copy(update={"revisions": revisions(day.find(Performance), performance)})
    day.write(performance)
    return performance


def _performance(
    day: DayStore, tables: _Tables, today: ScoredDay, judged: DayVerdict, holdout: Share, reasons: Sequence[str]
) -> Performance:
    """What performance.json holds, without `content_hash` and `revisions`."""
    settings, annotation = day.config.performance, day.config.annotation
    scored, statuses = tables.scored, tables.sample["status"].value_counts()
    metrics = measure(scored["label"].tolist(), scored["prediction"].tolist(), today.classes, settings.confidence)
    estimate = day.find(Estimate)
    return Performance(
        day=day.date,
        model_version=tables.version,
        merged_by=annotation.consensus,
        on_tie=annotation.on_tie,
        confidence=settings.confidence,
        floor=settings.floor,
        holdout_accuracy=holdout,
        agreement=_agreement(day, tables.votes, tables.sample),
        sampled=len(tables.sample),
        labels=len(scored),
        consensus=int(statuses.get("consensus", 0)),
        ties=int(statuses.get("tie", 0)),
        unclear=int(statuses.get("unclear", 0)),
        unanswered=int(statuses.get("unanswered", 0)),
        accuracy=metrics.accuracy,
        classes=metrics.classes,
        confusion_matrix=metrics.confusion_matrix,
        verdict=judged.verdict.verdict,
        severity=judged.verdict.severity,
        reasons=tuple(reasons),
        policy=judged.verdict.rules,
        fired=judged.verdict.fired,
        judged=judged.verdict.accuracy,
        corrected=judged.corrected.accuracy,
        label_error=judged.corrected.label_error,
        effective_labels=judged.effective_labels,
        pooled_days=judged.pooled_days,
        usual=judged.usual,
        estimated=None if estimate is None else estimate.accuracy,
        evidence=today.evidence.sums(),
    )


def _write_profile(day: DayStore, scored: pd.DataFrame) -> str | None:
    """Writes the whylogs profile of the scored images and returns the hash of its content; without one removes an earlier profile."""
    if not len(scored):
        day.storage.delete(day.keys.performance_profile)
        return None
    truth, predicted = scored["label"].tolist(), scored["prediction"].tolist()
    scores = own_score(scored, day.config.classes).tolist()
    profile = performance_profile(truth, predicted, scores, day.date, day.config.classes)
    day.storage.write_bytes(day.keys.performance_profile, profile)
    return performance_content_hash(truth, predicted, scores)


def _read(day: DayStore) -> _Tables:
    sample = day.storage.read_table(day.keys.labels)
    predictions = day.storage.read_table(day.keys.predictions)
    assignments = day.storage.read_table(day.keys.assignments)
    version = _model_version(predictions, day.keys)
    scored = _join(sample[sample["label"].notna()], predictions, day.keys)
    of_day = as_trained(day.monitor, version)
    votes = counted_votes(assignments, sample["image_id"].tolist(), of_day)
    return _Tables(version, sample, predictions, assignments, scored, votes)


def _evidence(day: DayStore, tables: _Tables) -> Evidence:
    # The sample stands for the images that it could be drawn from; of late ones it says nothing.
    no_part = [*tables.sample["image_id"], *late_images(day)]
    rest = tables.predictions[~tables.predictions["image_id"].isin(no_part)]
    agreed = _agreed_on(day.monitor, tables.assignments)
    assignments = tables.assignments[~tables.assignments["image_id"].isin(agreed)]
    return evidence_of(tables.scored, rest, tables.sample, tables.votes, assignments, day.config.classes)


def _join(labelled: pd.DataFrame, predictions: pd.DataFrame, day: DayKeys) -> pd.DataFrame:
    scored = labelled[["image_id", "label"]].merge(predictions, on="image_id", how="left", validate="one_to_one")
    lost = scored.loc[scored["prediction"].isna(), "image_id"]
    if len(lost):
        raise DriftwatchError(
            f"{day.predictions}: {len(lost)} labelled image(s) have no prediction, the first is {lost.iloc[0]}: "
            "the day's images changed after the sample was drawn; put them back, or clear predict_labels"
        )
    return scored


def _model_version(predictions: pd.DataFrame, day: DayKeys) -> str:
    versions = sorted(predictions["model_version"].unique())
    if len(versions) != 1:
        raise DriftwatchError(f"{day.predictions}: one model version is expected, not {versions}; clear predict_labels")
    return versions[0]


def _agreed_on(store: MonitorStore, assignments: pd.DataFrame) -> set[str]:
    """The control images that are not of the original set: their truth is what the annotators of an earlier day agreed on."""
    control = set(assignments.loc[assignments["control"].astype(bool), "image_id"])
    if not control or not store.storage.exists(store.keys.training_set):
        return set()
    return control - set(store.storage.read_table(store.keys.training_set)["image_id"])


def _agreement(day: DayStore, votes: pd.DataFrame, sample: pd.DataFrame) -> LabelAgreement:
    annotators = day.storage.read_table(day.keys.annotators)
    labelled = sample[sample["label"].notna()]
    return LabelAgreement(
        alpha=krippendorff_alpha(votes),
        unanimous=float(unanimous(labelled).mean()) if len(labelled) else None,
        votes=int(sample["votes"].sum()),
        control_answers=int(annotators["control_answers"].sum()),
        control_right=int(annotators["control_right"].sum()),
        annotators=len(annotators),
        flagged=int(annotators["flagged"].sum()),
    )
