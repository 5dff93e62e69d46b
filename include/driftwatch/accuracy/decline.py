"""A slow decline that no single day shows: a sequential test over the days of one model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.rules import TrendRule

if TYPE_CHECKING:
    from collections.abc import Sequence

DAYS_A_YEAR = 365
# Declines that the test looks for at the same time, in accuracy.
DECLINES = (0.02, 0.04, 0.08, 0.16)


@dataclass(frozen=True)
class DayCount:
    """`right` of `labels` agreed with the model. With a model that is as good as on its holdout, at least the share `usual` would. Those of a
    stratified sample are as many as a plain one that tells as much would have, and need not be whole."""

    labels: float
    right: float
    usual: float


def decline(days: Sequence[DayCount], false_alarms_a_year: float) -> TrendRule:
    """Whether accuracy declined over `days`, which are in order; the last one is judged.

    Each day's likelihood ratio of a decline against none, e, goes into R = (R + 1) e, averaged over DECLINES: the
    Shiryaev-Roberts form of an e-detector (Shin, Ramdas and Rinaldo, 2024). While no day's accuracy is below its
    `usual`, alarms are 1 / threshold a day at most on average, whatever the numbers of labels, so that the threshold is
    DAYS_A_YEAR / `false_alarms_a_year`.
    """
    threshold = DAYS_A_YEAR / false_alarms_a_year
    logs = [-math.inf] * len(DECLINES)
    for day in days:
        wrong = day.labels - day.right
        usual = min(max(day.usual, 0.02), 0.995)
        for place, lost in enumerate(DECLINES):
            lower = max(usual - lost, usual / 2)
            gain = day.right * math.log(lower / usual) + wrong * math.log((1 - lower) / (1 - usual))
            before = logs[place]
            # log(R + 1), safe for large R
            logs[place] = (math.log1p(math.exp(before)) if before < 30 else before) + gain
    level = sum(math.exp(min(value, 700)) for value in logs) / len(DECLINES)
    return TrendRule(fires=level >= threshold, evidence=level / threshold, days=len(days))
