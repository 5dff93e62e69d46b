"""A monitor's days as columns for the charts. A value that was not measured is null."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from driftwatch.view.days import Day
from driftwatch.view.words import feature_name

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig

_INTERVAL = ("value", "low", "high")
_OTHERS = {"corrected": "corrected for wrong labels", "estimated": "estimate from scores, without labels"}
_SHARES = ("precision", "recall", "f1")


def series(days: Sequence[Day], config: MonitorConfig, retrainings: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Everything that the monitor's page draws; each list has one entry for each day of `days`.

    `features`: by column its name, verdicts, effects, p-values, the day's five quantiles, and the reference's by model version.
    `performance`: accuracy and, by class, precision, recall and F1 as value, low and high; the corrected accuracy and the
    estimate without labels where a day has them; `confusion`: true class, predicted class, images. `takeovers`: first days of another model. `retrainings`: as `models.retrainings` gives them.
    """
    return {
        "monitor": config.name,
        "classes": list(config.classes),
        "days": [row.day.isoformat() for row in days],
        "tone": [row.tone for row in days],
        "said": [row.said for row in days],
        "version": [(row.ingest or {}).get("model_version") for row in days],
        "images": {
            name: [(row.ingest or {}).get(name) for row in days]
            for name in ("listed", "accepted", "duplicate", "quarantined", "ignored")
        },
        "drift": {name: [(row.drift or {}).get(name) for row in days] for name in ("verdict", "p_value", "n")},
        "features": _features(days),
        "performance": _performance(days, config),
        "takeovers": takeovers(days),
        "retrainings": list(retrainings),
    }


def takeovers(days: Sequence[Day]) -> list[dict[str, str]]:
    """The first day that each other model judged."""
    known = [(row.day.isoformat(), str(version)) for row in days if (version := _version(row))]
    return [{"day": day, "version": new} for (_, old), (day, new) in pairwise(known) if new != old]


def _version(row: Day) -> str | None:
    return (row.ingest or {}).get("model_version")


def _features(days: Sequence[Day]) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for row in days if row.drift for name in row.drift["features"]))
    found = {}
    for column in columns:
        rows = [(row.drift or {"features": {}})["features"].get(column) or {} for row in days]
        reference: dict[str, Any] = {}
        for row, feature in zip(days, rows, strict=True):
            if feature.get("reference_quantiles"):
                reference[str(row.drift and row.drift.get("reference_version"))] = feature["reference_quantiles"]
        found[column] = {
            "name": feature_name(column),
            "verdict": [feature.get("verdict") for feature in rows],
            "effect": [feature.get("effect") for feature in rows],
            "p_value": [feature.get("p_value") for feature in rows],
            "direction": [feature.get("direction") for feature in rows],
            "quantiles": [feature.get("day_quantiles") or None for feature in rows],
            "reference": reference,
            "reference_version": [(row.drift or {}).get("reference_version") for row in days],
        }
    return found


def _performance(days: Sequence[Day], config: MonitorConfig) -> dict[str, Any]:
    measured = [row.performance or {} for row in days]

    def shares(found: Sequence[Any]) -> dict[str, list[Any]]:
        return {name: [share.get(name) if isinstance(share, dict) else None for share in found] for name in _INTERVAL}

    guessed = [(row.estimate or {}).get("accuracy") or (row.performance or {}).get("estimated") for row in days]
    extra = {"corrected": shares([row.get("corrected") for row in measured]), "estimated": shares(guessed)}
    extra = {name: found for name, found in extra.items() if any(value is not None for value in found["value"])}
    return {
        "accuracy": shares([row.get("accuracy") for row in measured]),
        **extra,
        "others": {name: _OTHERS[name] for name in extra},
        "floor": [row.get("floor") for row in measured],
        "verdict": [row.get("verdict") for row in measured],
        "labels": [row.get("labels") for row in measured],
        "sampled": [row.get("sampled") for row in measured],
        "alpha": [(row.get("agreement") or {}).get("alpha") for row in measured],
        "unanimous": [(row.get("agreement") or {}).get("unanimous") for row in measured],
        "classes": {
            label: {
                name: shares([((row.get("classes") or {}).get(label) or {}).get(name) for row in measured])
                for name in _SHARES
            }
            for label in config.classes
        },
        "confusion": [_counts(row.get("confusion_matrix") or {}, config) for row in measured],
    }


def _counts(matrix: dict[str, Any], config: MonitorConfig) -> list[list[int]] | None:
    """[true class, predicted class, images] of each pair that occurred, by their places in `classes`: of many classes most never do."""
    if matrix.get("labels") != list(config.classes):
        return None
    return [[place, other, int(n)] for place, row in enumerate(matrix["rows"]) for other, n in enumerate(row) if n]
