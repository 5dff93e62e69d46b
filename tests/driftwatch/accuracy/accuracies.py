"""Accuracies to judge."""

from __future__ import annotations

from typing import Literal

from driftwatch.artifacts.parts import JudgedAccuracy
from driftwatch.models.metrics import share

# A good model's on its holdout: 88.3 %.
HOLDOUT = share(530, 600, 0.95)


def judged(
    right: int,
    labels: int,
    effective_n: float | None = None,
    kind: Literal["corrected", "measured"] = "measured",
    days: int = 1,
) -> JudgedAccuracy:
    """`right` of `labels`, with the interval of as many labels."""
    found = share(right, labels, 0.95).model_dump(exclude_unset=True)
    return JudgedAccuracy(**found, effective_n=labels if effective_n is None else effective_n, kind=kind, days=days)
