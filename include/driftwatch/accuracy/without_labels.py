"""The day's accuracy as the model's own scores tell it, before anybody has labelled an image.

Confidence-based performance estimation, as NannyML's CBPE: with calibrated scores, the mean score of the answers given is the share
of them that is right. It sees a day that is harder in a way that the model notices, such as noise. It does not see one that
makes the model sure and wrong: docs/benchmarks/judgement has what it says of blurred and dark photos. There the model answers
one class nearly always, which is told beside the estimate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch.accuracy.evidence import own_score
from driftwatch.accuracy.policy import holdout_accuracy
from driftwatch.artifacts.store import DayStore
from driftwatch.models.as_trained import as_trained
from driftwatch.models.metrics import wilson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np


LEVEL = 0.001


def estimate_day(day: DayStore) -> dict[str, Any]:
    """Estimates from predictions.parquet and the model card; writes estimate.json and returns what it holds.

    day, model_version, accuracy (a share; null with a reason without images or holdout), mean_score, the holdout's mean_score and
    n, and `answers`, see `answers_moved`.
    """
    predictions = day.storage.read_table(day.keys.predictions)
    version = day.storage.read_json(day.keys.ingest)["model_version"]
    holdout = day.storage.read_json(day.monitor.keys.model_card(version))["metrics"]["holdout"]
    day = day.with_config(as_trained(day.monitor, version))
    scores = own_score(predictions, day.config.classes)
    found = {
        "day": day.date.isoformat(),
        "model_version": version,
        "accuracy": estimate(scores, holdout, day.config.performance.confidence),
        "mean_score": round(float(scores.mean()), 6) if len(scores) else None,
        "holdout": {"mean_score": holdout.get("mean_score"), "n": holdout["n"]},
        "answers": answers_moved(predictions["prediction"].tolist(), holdout, day.config.classes),
    }
    day.storage.write_json(day.keys.estimate, found)
    return found


def answers_moved(answered: Sequence[str], holdout: Mapping[str, Any], classes: Sequence[str]) -> dict[str, Any] | None:
    """Whether the model answers the classes in other shares than on its holdout: by class the shares of the `day` and of the
    `holdout`, the `p_value` of the chi-squared test, and `moved`, p below LEVEL. None without images or a confusion matrix.

    A model that damaged images make sure and wrong mostly answers one class. So does a good one on a day of that class: what moved is a
    reason not to trust the estimate, not proof that it is wrong.
    """
    from scipy.stats import chi2_contingency

    rows = holdout.get("confusion_matrix", {}).get("rows")
    if not rows or not answered:
        return None
    usual = [sum(row[place] for row in rows) for place in range(len(classes))]
    today = [sum(answer == name for answer in answered) for name in classes]
    both = [(one, other) for one, other in zip(today, usual, strict=True) if one + other]
    p_value = float(chi2_contingency(list(zip(*both, strict=True))).pvalue) if len(both) > 1 else 1.0
    return {
        "day": {name: n / len(answered) for name, n in zip(classes, today, strict=True)},
        "holdout": {name: n / max(sum(usual), 1) for name, n in zip(classes, usual, strict=True)},
        "p_value": p_value,
        "moved": p_value < LEVEL,
    }


def estimate(scores: np.ndarray, holdout: Mapping[str, Any], confidence: float) -> dict[str, Any]:
    """The share of right answers to expect of images whose answers have `scores` [n].

    Where the card has the holdout's `mean_score`, the estimate is the holdout's accuracy, moved by as much as the scores moved:
    that takes out what the temperature left of miscalibration. The interval, Wilson's with an effective number of images, is one for
    these images; it holds while scores mean what they meant on the holdout, and no longer.
    """
    none = {"value": None, "low": None, "high": None, "n": len(scores)}
    if not len(scores):
        return {**none, "reason": "the day has no image"}
    value, n = holdout.get("accuracy"), holdout.get("n")
    if not n or value is None or (isinstance(value, dict) and value["value"] is None):
        return {**none, "reason": "the model card names no holdout to check the scores by"}
    accuracy, n = holdout_accuracy(holdout)
    usual, mean = holdout.get("mean_score"), float(scores.mean())
    moved = min(max(mean if usual is None else accuracy + mean - usual, 0.0), 1.0)
    # The variance of right or wrong, given the score: scores that overstate the accuracy understate it too.
    noise = max(float((scores * (1 - scores)).mean()), moved * (1 - moved) - float(scores.var()))
    variance = noise / len(scores) + (accuracy * (1 - accuracy) if usual is None else noise) / n
    effective = moved * (1 - moved) / variance if variance and 0 < moved < 1 else len(scores) * n / (len(scores) + n)
    low, high = wilson(moved, effective, confidence)
    return {"value": moved, "low": low, "high": high, "n": len(scores)}
