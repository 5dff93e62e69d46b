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
    """Each day's label counts the same. The days' samples are independent, so their variances add up; without an interval of each day there
    is none. Wilson's, as a day's own: one day has its own interval again, and plain samples have that of all their labels together."""
    labels = sum(row.accuracy.n for row in found)
    value = sum((row.accuracy.value or 0.0) * row.accuracy.n for row in found) / labels
    known = [(row.accuracy.n / labels, numbers) for row in found if (numbers := row.accuracy.numbers) is not None]
    if len(known) < len(found):
        return Share(value=value, low=None, high=None, n=labels)
    per_label = sum(weight**2 * _per_label(*numbers) for weight, numbers in known)
    centre = (value + per_label / 2) / (1 + per_label)
    half = math.sqrt(value * (1 - value) * per_label + per_label**2 / 4) / (1 + per_label)
    return Share(value=value, low=max(0.0, centre - half), high=min(1.0, centre + half), n=labels)


def _per_label(value: float, low: float, high: float) -> float:
    """z² over the number of labels that Wilson's interval of this width rests on: the positive root x of
    (1 + x)² h² = v (1 - v) x + x²/4, h being half of the width."""
    square, spread = min(((high - low) / 2) ** 2, 0.2499), value * (1 - value)
    first, second = square - 0.25, 2 * square - spread
    root = math.sqrt(second**2 - 4 * first * square)
    return (second + root) / (-2 * first)
