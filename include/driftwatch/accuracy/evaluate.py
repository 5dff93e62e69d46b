"""Compares the model's answers with the labels, people's on the day's random sample or those of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from driftwatch.accuracy.as_plain import weighted_metrics
from driftwatch.accuracy.by_segment import SegmentsInWords, by_segment, no_words, with_segments
from driftwatch.accuracy.day_tables import DayTables, read_tables
from driftwatch.accuracy.day_verdict import DayVerdict, judge_day
from driftwatch.accuracy.evidence import evidence_of, votes_of
from driftwatch.accuracy.history import ScoredDay, days_before, revisions
from driftwatch.accuracy.policy import Verdict
from driftwatch.accuracy.scores import own_score
from driftwatch.accuracy.sequential_rules import expected
from driftwatch.accuracy.versions import version_rows
from driftwatch.artifacts.accuracy import Estimate, LabelAgreement, Performance, StandsFor
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.drift.whylogs_profiles import makes_profiles, performance_content_hash, performance_profile
from driftwatch.images.late import among_late
from driftwatch.labels.agreement import deciding, krippendorff_alpha
from driftwatch.labels.consensus import unanimous
from driftwatch.labels.table_check import check_of
from driftwatch.models.as_trained import as_trained
from driftwatch.models.metrics import measure, without_intervals
from driftwatch.models.original_set import set_keys

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.parts import Share
    from driftwatch.artifacts.versions import VersionAccuracy

# What whylogs itself takes for the score of an answer without one.
NO_SCORE = 1.0
# Says why a verdict is as it is: `driftwatch.view.verdicts.reasons`.
InWords = Callable[[Verdict], Sequence[str]]


def evaluate_day(
    day: DayStore, holdout: Share, in_words: InWords, segments_in_words: SegmentsInWords = no_words
) -> Performance:
    """Joins labels.parquet with predictions.parquet; writes performance.json and the whylogs performance profile.

    `holdout`: the model's accuracy on its holdout. Scored are the images of the sample with a label; how many have none, and
    why, is counted beside: sampled = consensus + ties + unclear + unanswered. `labels` (scored) is more than `consensus` where
    `on_tie` breaks ties. Without a single label there is no profile and no `content_hash` of it. Returns what performance.json holds.

    `accuracy` is the agreement with the labels as they are, `corrected` what it is without the labels' own errors, `judged` what the
    verdict rests on: the day's, or that of some days together. The verdict depends on the artifacts of this day and of those
    before it alone, so that a repeated day has the same one. Where several model versions answered, all this is about the serving
    one, and `versions` has a row for each. Images that production did not answer are not scored. `segments_in_words`: the reasons of a day
    that is an alert since a segment is one.
    """
    tables = read_tables(day)
    day = day.with_config(as_trained(day.monitor, tables.version))
    today, before = _scored_day(day, tables), days_before(day.monitor, day.date)
    usual = expected(day.monitor.find(day.monitor.keys.model_card(tables.version), ModelCard), holdout)
    judged = judge_day(today, before, day.config, holdout, tables.no_interval, usual)
    performance = _performance(day, tables, today, judged, holdout, in_words(judged.verdict))
    # Versions are compared by their intervals.
    rows = (
        () if tables.no_interval else version_rows(today, before, day.config, tables.answered, judged.verdict.accuracy)
    )
    performance = performance.model_copy(update=_of_some_days(tables, today, rows) | _of_a_table(day, tables))
    segments, slices = by_segment(day, tables, today, before, judged.corrected.label_error)
    performance = with_segments(performance, segments, slices, day.config, segments_in_words)
    content_hash = _write_profile(day, tables.plain)
    if content_hash is not None:
        performance = performance.model_copy(update={"content_hash": content_hash})
    performance = performance.model_copy(update={"revisions": revisions(day.find(Performance), performance)})
    day.write(performance)
    return performance


def _performance(
    day: DayStore, tables: DayTables, today: ScoredDay, judged: DayVerdict, holdout: Share, reasons: Sequence[str]
) -> Performance:
    """What performance.json holds, without `content_hash` and `revisions`."""
    settings, annotation = day.config.performance, day.config.labels
    scored, statuses = tables.plain, tables.sample["status"].value_counts()
    metrics = measure(scored["label"].tolist(), scored["prediction"].tolist(), today.classes, settings.confidence)
    metrics = weighted_metrics(metrics, today.evidence, today.classes, settings.confidence)
    if tables.no_interval:
        metrics = without_intervals(metrics, tables.no_interval)
    estimate = day.find(Estimate)
    return Performance(
        day=day.date,
        model_version=tables.version,
        merged_by=annotation.consensus,
        on_tie=annotation.on_tie,
        confidence=settings.confidence,
        floor=settings.floor,
        holdout_accuracy=holdout,
        agreement=_agreement(day, tables),
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
        counted=judged.counted,
        estimated=None if estimate is None else estimate.accuracy,
        evidence=today.evidence.sums(),
    )


def _of_some_days(tables: DayTables, today: ScoredDay, rows: tuple[VersionAccuracy, ...]) -> dict[str, object]:
    """The fields of performance.json that only some days have: where production answered by itself, images came late, or the sample is
    stratified."""
    fields = {
        "serving_version": today.serving_version,
        "versions": rows,
        "unpredicted": tables.unpredicted,
        "stands_for": _stands_for(tables),
        "not_covered": sum(int(stratum.images) for stratum in today.evidence.strata if not stratum.labels),
    }
    return {name: value for name, value in fields.items() if value}


def _of_a_table(day: DayStore, tables: DayTables) -> dict[str, object]:
    """The fields of a day whose labels come from a table. Days without an interval say nothing to later ones."""
    if tables.truth is None:
        return {}
    fields = {"truth": tables.truth, "table_check": check_of(day)}
    found = {name: value for name, value in fields.items() if value is not None}
    return found | ({"evidence": None} if tables.no_interval else {})


def _stands_for(tables: DayTables) -> StandsFor | None:
    """For which images the labels stand, where that is not the whole day."""
    if not len(tables.late):
        return None
    of = tables.accepted
    reason = "clear create_annotation_pool and what follows it, to have a supplement drawn"
    found = tables.plan.not_asked if tables.plan else None
    return StandsFor(images=of - len(tables.late), of=of, reason=found.reason if found else reason)


def _write_profile(day: DayStore, scored: pd.DataFrame) -> str | None:
    """Writes the whylogs profile of the scored images, where whylogs is installed, and returns the hash of its content; without images removes
    an earlier profile."""
    if not len(scored):
        day.storage.delete(day.keys.performance_profile)
        return None
    truth, predicted = scored["label"].tolist(), scored["prediction"].tolist()
    scores = scores_to_publish(scored, day.config.classes)
    if makes_profiles(day.config.publish.sinks):
        profile = performance_profile(truth, predicted, scores, day.date, day.config.classes)
        day.storage.write_bytes(day.keys.performance_profile, profile)
    return performance_content_hash(truth, predicted, scores)


def scores_to_publish(scored: pd.DataFrame, classes: Sequence[str]) -> list[float]:
    """The score of each answer, as the profile takes it."""
    found = own_score(scored, classes)
    return [NO_SCORE] * len(scored) if found is None else [float(score) for score in found]


def _scored_day(day: DayStore, tables: DayTables) -> ScoredDay:
    """What the labels say of each version. All have the votes of the whole sample: they tell of people, not of models."""
    # The sample stands for the images that it could be drawn from; of those that came later still it says nothing.
    no_part = {*tables.sample["image_id"], *among_late(tables.late, tables.predictions["image_id"].tolist())}
    rest = tables.predictions[~tables.predictions["image_id"].isin(no_part)]
    agreed = _agreed_on(day.monitor, tables.assignments)
    assignments = tables.assignments[~tables.assignments["image_id"].isin(agreed)]
    classes = tuple(day.config.classes)
    votes = votes_of(tables.sample, tables.votes, assignments, classes, tables.weights)
    by_version = {
        version: evidence_of(
            tables.of(version, tables.labelled), tables.of(version, rest), votes, classes, tables.strata_of(version)
        )
        for version in tables.answered.images
    }
    own = tables.serving != tables.version or tables.answered.several
    return ScoredDay(
        day.date,
        tables.version,
        classes,
        by_version[tables.serving],
        serving_version=tables.serving if own else None,
        by_version=by_version if tables.answered.several else {},
        from_table=tables.truth is not None,
    )


def _agreed_on(store: MonitorStore, assignments: pd.DataFrame) -> set[str]:
    """The control images that are not of the original set: their truth is what the annotators of an earlier day agreed on."""
    control = set(assignments.loc[assignments["control"].astype(bool), "image_id"])
    key = set_keys(store).table
    if not control or not store.storage.exists(key):
        return set()
    return control - set(store.storage.read_table(key)["image_id"])


def _agreement(day: DayStore, tables: DayTables) -> LabelAgreement:
    votes = int(tables.sample["votes"].sum())
    if tables.truth is not None:  # one label for each image, and nobody who could agree
        return LabelAgreement(
            alpha=None, unanimous=None, votes=votes, control_answers=0, control_right=0, annotators=0, flagged=0
        )
    annotators = day.storage.read_table(day.keys.annotators)
    labelled = tables.sample[tables.sample["label"].notna()]
    return LabelAgreement(
        alpha=krippendorff_alpha(deciding(tables.votes, day.config)),
        unanimous=float(unanimous(labelled).mean()) if len(labelled) else None,
        votes=votes,
        control_answers=int(annotators["control_answers"].sum()),
        control_right=int(annotators["control_right"].sum()),
        annotators=len(annotators),
        flagged=int(annotators["flagged"].sum()),
    )
