"""Compares the model's answers with people's labels, on the day's random sample only."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.accuracy.evidence import Evidence, evidence_of, own_score, pool, pool_votes
from driftwatch.accuracy.history import days_before, revisions
from driftwatch.accuracy.label_errors import corrected
from driftwatch.accuracy.policy import holdout_accuracy, judge
from driftwatch.accuracy.prediction_powered import agreement
from driftwatch.accuracy.trend import DayCount, trend
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.drift.whylogs_profiles import performance_content_hash, performance_profile
from driftwatch.errors import DriftwatchError
from driftwatch.images.late import late_images
from driftwatch.labels.consensus import counted_votes, krippendorff_alpha, unanimous
from driftwatch.models.as_trained import as_trained
from driftwatch.models.metrics import measure, wilson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from driftwatch.artifacts.keys import DayKeys
    from driftwatch.config import MonitorConfig
    from driftwatch.config.performance import PerformanceConfig


def evaluate_day(day: DayStore, holdout: Mapping[str, Any]) -> dict[str, Any]:
    """Joins labels.parquet with predictions.parquet; writes performance.json and the whylogs performance profile.

    `holdout`: the model card's `metrics.holdout`. Scored are the images of the sample with a label; how many have none, and
    why, is counted beside: sampled = consensus + ties + unclear + unanswered. `labels` (scored) is more than `consensus` where
    `on_tie` breaks ties. Without a single label there is no profile and no `content_hash` of it. Returns what performance.json holds.

    `accuracy` is the agreement with the labels as they are, `corrected` what it is without the labels' own errors, `judged` what the
    verdict rests on: the day's, or that of some days together. The verdict depends on the artifacts of this day and of those
    before it alone, so that a repeated day has the same one.
    """
    settings = day.config.performance
    sample = day.storage.read_table(day.keys.labels)
    predictions = day.storage.read_table(day.keys.predictions)
    version = _model_version(predictions, day.keys)
    day = day.with_config(as_trained(day.monitor, version))
    scored = _join(sample[sample["label"].notna()], predictions, day.keys)
    assignments = day.storage.read_table(day.keys.assignments)
    votes = counted_votes(assignments, sample["image_id"].tolist(), day.config)
    # The sample stands for the images that it could be drawn from; of late ones it says nothing.
    no_part = [*sample["image_id"], *late_images(day)]
    rest = predictions[~predictions["image_id"].isin(no_part)]
    agreed = _agreed_on(day.monitor, assignments)
    evidence = evidence_of(scored, rest, sample, votes, assignments, day.config.classes, agreed)
    before = days_before(day.monitor, day.date)
    judged = judge_day(day.date, version, evidence, before, day.config, holdout)
    statuses = sample["status"].value_counts()
    performance = {
        "day": day.date.isoformat(),
        "model_version": version,
        "merged_by": day.config.annotation.consensus,
        "on_tie": day.config.annotation.on_tie,
        "confidence": settings.confidence,
        "floor": settings.floor,
        "holdout_accuracy": holdout["accuracy"],
        "agreement": _agreement(day, votes, sample),
        "sampled": len(sample),
        "labels": len(scored),
        "consensus": int(statuses.get("consensus", 0)),
        "ties": int(statuses.get("tie", 0)),
        "unclear": int(statuses.get("unclear", 0)),
        "unanswered": int(statuses.get("unanswered", 0)),
        **measure(scored["label"].tolist(), scored["prediction"].tolist(), day.config.classes, settings.confidence),
        **judged,
        "estimated": day.storage.read_json(day.keys.estimate)["accuracy"]
        if day.storage.exists(day.keys.estimate)
        else None,
        "evidence": evidence.as_dict(),
    }
    if len(scored):
        scores = own_score(scored, day.config.classes).tolist()
        answers = scored["label"].tolist(), scored["prediction"].tolist(), scores
        day.storage.write_bytes(
            day.keys.performance_profile, performance_profile(*answers, day.date, day.config.classes)
        )
        performance["content_hash"] = performance_content_hash(*answers)
    else:
        day.storage.delete(day.keys.performance_profile)
    earlier = day.storage.read_json(day.keys.performance) if day.storage.exists(day.keys.performance) else None
    performance["revisions"] = revisions(earlier, performance)
    day.storage.write_json(day.keys.performance, performance)
    return performance


def judge_day(
    day: date,
    version: str,
    evidence: Evidence,
    before: Sequence[Mapping[str, Any]],
    config: MonitorConfig,
    holdout: Mapping[str, Any],
) -> dict[str, Any]:
    """The verdict on a day by its `evidence` and the performance.json of the days `before`, in order.

    Returns what `policy.judge` gives, with `judged`, `corrected` and `label_error` (shares), `effective_labels`, what the labels and
    scores are worth in labels alone, `pooled_days`, and `usual`, the agreement that a model as good as on its holdout has at least.
    """
    settings = config.performance
    first = day - timedelta(days=settings.pool_days - 1)
    recent = [
        (found, Evidence.of(found["evidence"]))
        for found in before
        if found["day"] >= first.isoformat() and _has_classes(found, config)
    ]
    votes = pool_votes([evidence.votes, *(past.votes for _, past in recent)])
    together, days = [evidence], [day.isoformat()]
    for found, past in reversed(recent):
        if sum(part.labels for part in together) >= settings.min_labels:
            break
        if found["model_version"] == version:
            together.append(past)
            days.append(found["day"])
    ties = config.annotation.on_tie != "abstain"

    def both(found: Evidence) -> tuple[dict[str, Any], dict[str, Any]]:
        sharp = agreement(found, settings.confidence, settings.estimator)
        return sharp, corrected(found, votes, sharp, settings.confidence, ties, config.annotation.consensus)

    sharp, right = both(evidence)
    pooled_sharp, pooled_right = both(pool(together)) if len(together) > 1 else (sharp, right)
    # Labels that are known to be worthless are no reason to take the agreement with them for the accuracy.
    use_corrected = settings.judge == "corrected" and pooled_right["label_error"] is not None
    judged = {
        **(pooled_right if use_corrected else pooled_sharp),
        "kind": "corrected" if use_corrected else "measured",
        "days": len(days),
    }
    same_model = [found for found in before if found["model_version"] == version]
    usual = _usual(
        right["label_error"] if settings.judge == "corrected" else None, settings, holdout, len(config.classes)
    )
    counts = [DayCount(*_counted(found), found["usual"]) for found in same_model if found["usual"] is not None]
    if usual is not None:
        counts.append(DayCount(evidence.labels, evidence.right, usual))
    fired = [found["fired"] for found in reversed(same_model) if found["labels"]]
    declined = trend(counts, settings.trend_false_alarms) if counts else None
    label_error = right.pop("label_error")
    return {
        **judge(judged, settings, holdout, fired, declined),
        "judged": {name: value for name, value in judged.items() if name != "label_error"},
        "corrected": right,
        "label_error": label_error,
        "effective_labels": sharp["effective_n"],
        "pooled_days": sorted(days),
        "usual": usual,
    }


def _has_classes(found: Mapping[str, Any], config: MonitorConfig) -> bool:
    """Whether people and model chose among the same classes on the day of that performance.json: else its counts mean others."""
    labels = found.get("confusion_matrix", {}).get("labels", config.classes)
    return list(labels) == list(config.classes)


def _counted(found: Mapping[str, Any]) -> tuple[int, int]:
    rows = found["evidence"]["confusion"]
    return sum(map(sum, rows)), sum(row[place] for place, row in enumerate(rows))


def _usual(
    label_error: Mapping[str, Any] | None, settings: PerformanceConfig, holdout: Mapping[str, Any], classes: int
) -> float | None:
    """The lowest agreement with the labels that a model with its holdout's accuracy may have, label errors included; None where the
    rule `trend` is not used."""
    if "trend" not in settings.policy:
        return None
    value, n = holdout_accuracy(holdout)
    low, _ = wilson(value, n, settings.confidence)
    error = label_error["high"] if label_error else 0.0
    return round(low * (1 - error) + (1 - low) * error / (classes - 1), 6)


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


def _agreement(day: DayStore, votes: pd.DataFrame, sample: pd.DataFrame) -> dict[str, Any]:
    """How much to trust the labels: Krippendorff's alpha, share of unanimous labels, control tasks right, annotators flagged."""
    annotators = day.storage.read_table(day.keys.annotators)
    labelled = sample[sample["label"].notna()]
    return {
        "alpha": krippendorff_alpha(votes),
        "unanimous": float(unanimous(labelled).mean()) if len(labelled) else None,
        "votes": int(sample["votes"].sum()),
        "control_answers": int(annotators["control_answers"].sum()),
        "control_right": int(annotators["control_right"].sum()),
        "annotators": len(annotators),
        "flagged": int(annotators["flagged"].sum()),
    }
