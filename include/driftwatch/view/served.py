"""How good a model was on the days that it answered: what production has seen of it, beside what its holdout promised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.parts import Share
from driftwatch.view.numbers import percent
from driftwatch.view.shares import ShownShare, shown
from driftwatch.view.words import count

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.view.days import Day


@dataclass(frozen=True)
class Served:
    """`accuracy`: the mean of its days, weighted by their labels; `about`: on how many labels of which days, and the level of the interval;
    `alerts`: days on which it got worse."""

    accuracy: ShownShare
    about: str
    alerts: int


def served(days: Sequence[Day], version: str) -> Served | None:
    """None for a version that answered no day with labels."""
    measured = [
        (day.day, day.performance)
        for day in days
        if day.version == version and day.performance and day.performance.accuracy.value is not None
    ]
    if not measured:
        return None
    found = [performance for _, performance in measured]
    labels, first, last = sum(row.accuracy.n for row in found), measured[0][0], measured[-1][0]
    when = f"{count(len(measured), 'day')}, {first} to {last}" if len(measured) > 1 else str(first)
    mean = _mean(found)
    level = f"; {percent(found[-1].confidence)} interval" if mean.numbers else ""
    alerts = sum(row.verdict == "alert" for row in found)
    return Served(shown(mean), f"on {count(labels, 'label')} of {when}{level}", alerts)


def _mean(found: Sequence[Performance]) -> Share:
    """Each day's label counts the same. The days' samples are independent, so the squares of their half widths add up; without an interval of each
    day there is none."""
    labels = sum(row.accuracy.n for row in found)
    value = sum((row.accuracy.value or 0.0) * row.accuracy.n for row in found) / labels
    halves = [
        (row.accuracy.n / labels, (numbers[2] - numbers[1]) / 2)
        for row in found
        if (numbers := row.accuracy.numbers) is not None
    ]
    if len(halves) < len(found):
        return Share(value=value, low=None, high=None, n=labels)
    half = math.sqrt(sum((weight * width) ** 2 for weight, width in halves))
    return Share(value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=labels)
