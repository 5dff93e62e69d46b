"""A share by day, for the charts: each day's own with its interval, and the mean of seven days where there are too many days to tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from driftwatch.view.numbers import percent

if TYPE_CHECKING:
    from driftwatch.artifacts.parts import Interval

Column = list[float | None]
Words = list[str | None]
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """The mean of the seven days that end with each day, weighted by their labels; `low` and `high`: the lowest and the highest of them. Days
    of another model are left out."""

    value: Column
    low: Column
    high: Column


@dataclass(frozen=True)
class Curve:
    """A share with its interval, by day. `text`: the share as it is read everywhere, `–` where it was not measured."""

    value: Column
    low: Column
    high: Column
    text: list[str]
    week: Week


@dataclass(frozen=True)
class Axis:
    """What the days of a curve are: their dates, the model that answered each, and how many labels each has."""

    days: Sequence[date]
    models: Words
    labels: Column


def curve(found: Iterable[Interval | None], axis: Axis) -> Curve:
    """One entry for each day of `axis`."""
    shares = list(found)
    values = [share.value if share else None for share in shares]
    return Curve(
        value=values,
        low=[share.low if share else None for share in shares],
        high=[share.high if share else None for share in shares],
        text=[text_of(share.value if share else None) for share in shares],
        week=week(values, axis),
    )


def week(values: Column, axis: Axis) -> Week:
    """The seven days up to each day, those of the same model. A day without a value has none: nothing is drawn over a gap."""
    found = [_seven(values, axis, place) for place in range(len(values))]
    return Week(*(list(column) for column in zip(*found, strict=True))) if found else Week([], [], [])


def _seven(values: Column, axis: Axis, place: int) -> tuple[float | None, float | None, float | None]:
    if values[place] is None:
        return None, None, None
    known = [
        (value, axis.labels[before] or 1.0)
        for before in range(max(0, place - 6), place + 1)
        if (value := values[before]) is not None
        and axis.models[before] == axis.models[place]
        and axis.days[place] - axis.days[before] < _WEEK
    ]
    shares, weights = zip(*known, strict=True)
    mean = sum(share * weight for share, weight in known) / sum(weights)
    return mean, min(shares), max(shares)


def text_of(share: float | None) -> str:
    return "–" if share is None else percent(share)
