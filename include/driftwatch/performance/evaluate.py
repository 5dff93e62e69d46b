"""Compares the model's answers with people's labels, on the day's random sample only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch.annotation.consensus import counted_votes, krippendorff_alpha, unanimous
from driftwatch.errors import DriftwatchError
from driftwatch.performance.metrics import measure
from driftwatch.performance.policy import judge
from driftwatch.profiling.whylogs_profiles import performance_content_hash, performance_profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from driftwatch.config import MonitorConfig
    from driftwatch.layout import DayLayout
    from driftwatch.storage import Storage


def evaluate_day(storage: Storage, day: DayLayout, config: MonitorConfig, holdout: Mapping[str, Any]) -> dict[str, Any]:
    """Joins labels.parquet with predictions.parquet; writes performance.json and the whylogs performance profile.

    `holdout`: the model card's `metrics.holdout`. Scored are the images of the sample with a label; how many have none, and
    why, is counted beside: sampled = consensus + ties + unclear + unanswered. `labels` (scored) is more than `consensus` where
    `on_tie` breaks ties. Without a single label there is no profile and no `content_hash` of it. Returns what performance.json holds.
    """
    sample = storage.read_table(day.labels)
    labelled = sample[sample["label"].notna()]
    predictions = storage.read_table(day.predictions)
    scored = _join(labelled, predictions, day)
    metrics = measure(
        scored["label"].tolist(), scored["prediction"].tolist(), config.classes, config.performance.confidence
    )
    verdict = judge(metrics["accuracy"], config.performance, holdout)
    statuses = sample["status"].value_counts()
    counts = {
        "sampled": len(sample),
        "labels": len(scored),
        "consensus": int(statuses.get("consensus", 0)),
        "ties": int(statuses.get("tie", 0)),
        "unclear": int(statuses.get("unclear", 0)),
        "unanswered": int(statuses.get("unanswered", 0)),
    }
    performance = {
        "day": day.day.isoformat(),
        "model_version": _model_version(predictions, day),
        "merged_by": config.annotation.consensus,
        "on_tie": config.annotation.on_tie,
        "confidence": config.performance.confidence,
        "floor": config.performance.floor,
        "holdout_accuracy": holdout["accuracy"],
        "agreement": _agreement(storage, day, config, sample),
        **counts,
        **metrics,
        **verdict,
    }
    if len(scored):
        scores = [row[f"score.{row['prediction']}"] for _, row in scored.iterrows()]
        answers = scored["label"].tolist(), scored["prediction"].tolist(), scores
        storage.write_bytes(day.performance_profile, performance_profile(*answers, day.day, config.classes))
        performance["content_hash"] = performance_content_hash(*answers)
    else:
        storage.delete(day.performance_profile)
    storage.write_json(day.performance, performance)
    return performance


def _join(labelled: pd.DataFrame, predictions: pd.DataFrame, day: DayLayout) -> pd.DataFrame:
    scored = labelled[["image_id", "label"]].merge(predictions, on="image_id", how="left", validate="one_to_one")
    lost = scored.loc[scored["prediction"].isna(), "image_id"]
    if len(lost):
        raise DriftwatchError(
            f"{day.predictions}: {len(lost)} labelled image(s) have no prediction, the first is {lost.iloc[0]}: "
            "the day's images changed after the sample was drawn; put them back, or clear predict_labels"
        )
    return scored


def _model_version(predictions: pd.DataFrame, day: DayLayout) -> str:
    versions = sorted(predictions["model_version"].unique())
    if len(versions) != 1:
        raise DriftwatchError(f"{day.predictions}: one model version is expected, not {versions}; clear predict_labels")
    return versions[0]


def _agreement(storage: Storage, day: DayLayout, config: MonitorConfig, sample: pd.DataFrame) -> dict[str, Any]:
    """How much to trust the labels: Krippendorff's alpha, share of unanimous labels, control tasks right, annotators flagged."""
    assignments = storage.read_table(day.assignments)
    annotators = storage.read_table(day.annotators)
    labelled = sample[sample["label"].notna()]
    return {
        "alpha": krippendorff_alpha(counted_votes(assignments, sample["image_id"].tolist(), config)),
        "unanimous": float(unanimous(labelled).mean()) if len(labelled) else None,
        "votes": int(sample["votes"].sum()),
        "control_answers": int(annotators["control_answers"].sum()),
        "control_right": int(annotators["control_right"].sum()),
        "annotators": len(annotators),
        "flagged": int(annotators["flagged"].sum()),
    }
