"""Where a day's accuracy stands, beyond its verdict: whether its interval reaches the floor, and how far it lies below the usual days.

A verdict of ok says that no rule of the policy fires. It does not say that all is well: 72 % after 90 % is ok by a floor of 70 %. The
tones and the words of the pages and of the report take both from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from driftwatch.view.numbers import percent
from driftwatch.view.words import capital

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Performance

USUAL_DAYS = 13  # the days before it that are looked at: with the day itself those of the report
WELL_BELOW = 0.05  # smaller differences are not worth a colour


@dataclass(frozen=True)
class Standing:
    """How a day with the verdict ok stands. `near_floor`: whether the interval of what was judged reaches below the floor.
    `below`: by how much the accuracy lies below that of the usual days `first` to `last`, 0 to 1; None where it does not, or where chance
    may have done it."""

    accuracy: float
    near_floor: bool
    below: float | None = None
    first: date | None = None
    last: date | None = None

    @property
    def plain(self) -> bool:
        """Whether there is nothing to say beyond the verdict."""
        return not self.near_floor and self.below is None

    @property
    def said(self) -> str:
        """Behind a sentence with the accuracy and the floor: `The interval reaches the floor, and 71.9 % is 18 points below 2026-01-05 to
        2026-01-07.`; empty if plain."""
        said = ["the interval reaches the floor"] if self.near_floor else []
        if self.below is not None:
            days = f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"
            said.append(f"{percent(self.accuracy)} is {100 * self.below:.0f} points below {days}")
        text = ", and ".join(said)
        return f"{capital(text)}." if text else ""


@dataclass(frozen=True)
class _Measured:
    """A day's accuracy with the half-widths of its interval."""

    day: date
    value: float
    down: float
    up: float
    labels: int


def standings(found: Mapping[date, Performance]) -> dict[date, Standing]:
    """How each day with the verdict ok and an interval stands."""
    measured = [
        _Measured(day, value, value - low, high - value, performance.labels)
        for day, performance in sorted(found.items())
        if performance.verdict == "ok" and performance.accuracy.numbers is not None
        for value, low, high in [performance.accuracy.numbers]
    ]
    standing, first = {}, 0
    for place, one in enumerate(measured):
        while measured[first].day < one.day - timedelta(days=USUAL_DAYS):
            first += 1
        standing[one.day] = _standing(one, found[one.day], measured[first:place])
    return standing


def _standing(one: _Measured, performance: Performance, window: list[_Measured]) -> Standing:
    judged = performance.judged or performance.accuracy
    near = judged.low is not None and judged.low < performance.floor
    highest = max((other.value for other in window), default=0.0)
    usual = _usual(window) if one.value + max(one.up, WELL_BELOW) < highest else []
    below = _difference(one, usual) if usual else 0.0
    if below < WELL_BELOW:
        return Standing(one.value, near)
    return Standing(one.value, near, below, usual[0].day, usual[-1].day)


def _usual(window: Iterable[_Measured]) -> list[_Measured]:
    """The days of the window that are not themselves below those before them: else a low week would be the usual one after some days."""
    usual: list[_Measured] = []
    for one in window:
        if not usual or _difference(one, usual) < WELL_BELOW:
            usual.append(one)
    return usual


def _difference(one: _Measured, usual: list[_Measured]) -> float:
    """How far `one` lies below the usual days together, 0 to 1; 0 where the interval of the difference reaches 0 (Newcombe 1998, method 10:
    the halves of both intervals are added as squares)."""
    labels = sum(other.labels for other in usual) or 1
    together = sum(other.labels * other.value for other in usual) / labels
    down = sum((other.labels * other.down) ** 2 for other in usual) ** 0.5 / labels
    difference = together - one.value
    return difference if difference > (down**2 + one.up**2) ** 0.5 else 0.0
