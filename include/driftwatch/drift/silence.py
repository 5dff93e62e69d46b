"""Differences that are detected and do not alarm: those of a muted feature, and those that are too small to matter.

With 100,000 images a day the smallest difference is significant. `profiling.min_effect` says which size matters: the Kolmogorov-Smirnov
distance of a feature, or the total variation distance of the predicted classes. Both say which share of the images would at least have
to change. The tests stay as they are, so the false-alarm rate stays an upper bound.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from driftwatch.drift.reference import DRIFTED, OK

if TYPE_CHECKING:
    from driftwatch.drift.reference import DriftReport

Silenced = Literal["small", "muted"]
SMALL: Silenced = "small"
MUTED: Silenced = "muted"


def silenced(report: DriftReport, min_effect: float, muted: Collection[str] = ()) -> DriftReport:
    """The report without the alarms of `muted` features and of effects below `min_effect`.

    Such a feature has the verdict ok, and the column `silenced` says why: small or muted, else None. The batch has drifted only where a
    feature is left that has.
    """
    table = report.features
    moved = table["verdict"] == DRIFTED
    why = [
        (MUTED if row.feature in muted else SMALL if row.effect < min_effect else None) if is_moved else None
        for row, is_moved in zip(table.itertuples(), moved, strict=True)
    ]
    quiet = [reason is not None for reason in why]
    table = table.assign(verdict=table["verdict"].mask(quiet, OK), silenced=why)
    left = report.drifted and bool((table["verdict"] == DRIFTED).any())
    return dataclasses.replace(report, features=table, verdict=OK if report.drifted and not left else report.verdict)
