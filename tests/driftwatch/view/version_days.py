"""Days that several model versions answered: performance.json alone, and a stored day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from tests.driftwatch.artifacts import samples

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.accuracy.without_labels import estimate_day
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.store import DayStore
from driftwatch.view.verdicts import reasons

from .typed import typed

EVIDENCE = {"confusion": [[1, 0], [0, 1]], "scores": samples.PERFORMANCE["evidence"]["scores"]}


def share(value: float, n: int) -> dict[str, Any]:
    return {"value": value, "low": value - 0.1, "high": min(value + 0.1, 1.0), "n": n}


def version(name: str, answered: int, labels: int, value: float, **more: Any) -> dict[str, Any]:
    recall = {"cat": share(value, 20), "dog": share(value - 0.2, 20)}
    return {"version": name, "answered": answered, "labels": labels, "accuracy": share(value, labels), "recall": recall, "evidence": EVIDENCE, **more}  # fmt: skip


def judged(value: float, n: int, days: int = 1) -> dict[str, Any]:
    return {**share(value, n), "effective_n": n, "kind": "corrected", "days": days}


WORSE = {"value": -0.241, "low": -0.36, "high": -0.13, "finding": "worse"}
FEW = {"value": None, "low": None, "high": None, "finding": "not_enough_evidence", "reason": "9 has 3 labels; a comparison needs 30"}  # fmt: skip
SEVEN = version("7", 500, 140, 0.941, judged=judged(0.95, 140))
EIGHT = version("8", 60, 50, 0.7, judged=judged(0.71, 64, 3), difference=WORSE)
NINE = version("9", 40, 3, 0.9, difference=FEW) | {"recall": {}}


def performance(*rows: dict[str, Any], **changes: Any) -> Performance:
    usual = {"serving_version": rows[0]["version"], "versions": rows, "verdict": "ok", "labels": 140}
    return typed(Performance, samples.PERFORMANCE, **{**usual, **changes})


def answered_by_several(day: DayStore, shares: Mapping[str, float], wrong: float = 0.4) -> Performance:
    """Gives each answer of a built day to one of the versions, by their shares, and evaluates the day anew. All versions but the first
    have `wrong` of their answers turned round."""
    table = day.storage.read_table(day.keys.predictions)
    rng = np.random.default_rng(day.date.toordinal())
    table["model_version"] = rng.choice(list(shares), len(table), p=list(shares.values()))
    turned = (table["model_version"] != next(iter(shares))) & (rng.random(len(table)) < wrong)
    table.loc[turned, "prediction"] = table.loc[turned, "prediction"].map({"cat": "dog", "dog": "cat"})
    scores = ["score.cat", "score.dog"]
    table.loc[turned, scores] = table.loc[turned, scores[::-1]].to_numpy()
    day.storage.write_table(day.keys.predictions, table)
    estimate_day(day)
    holdout = day.monitor.read(day.monitor.keys.model_card("v1"), ModelCard).metrics.holdout.accuracy
    return evaluate_day(day, holdout, in_words=reasons)
