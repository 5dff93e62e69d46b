"""A day's accuracy against the floor and the days before it: what is not plainly well is not green."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, typed

from driftwatch.artifacts.accuracy import Performance
from driftwatch.models.metrics import share
from driftwatch.view import tones
from driftwatch.view.days import Day, with_standings
from driftwatch.view.standing import USUAL_DAYS, standings


def measured(right: int, labels: int = 290, verdict: str = "ok", floor: float = 0.7, **other: Any) -> Performance:
    accuracy = share(right, labels, 0.95).model_dump(mode="json", exclude_unset=True)
    judged = {**accuracy, "effective_n": labels, "days": 1, "kind": "measured"}
    return typed(Performance, samples.PERFORMANCE, verdict=verdict, accuracy=accuracy, judged=judged, labels=labels, floor=floor, **other)  # fmt: skip


def week(*performances: Performance | None) -> dict[date, Performance]:
    return {DAY + timedelta(days=n): found for n, found in enumerate(performances) if found}


def test_a_week_after_a_takeover_is_above_the_floor_and_far_below_the_days_before() -> None:
    days = week(
        measured(265), measured(261), measured(254), measured(185, verdict="alert"), measured(229), measured(208)
    )
    found = standings(days)
    assert [found[day].plain for day in sorted(found)] == [True, True, True, False, False]
    after, later = found[DAY + timedelta(days=4)], found[DAY + timedelta(days=5)]
    assert after.said == "79 % is 11 points below 2026-01-05 to 2026-01-07."
    assert later.near_floor
    assert later.said.startswith("The interval reaches the floor, and 71.7 % is 18 points below 2026-01-05")
    assert later.last == DAY + timedelta(days=2), "the low day before it is no usual one"


def test_a_day_whose_interval_reaches_the_floor_is_a_warning_and_says_so() -> None:
    (day,) = with_standings([Day(DAY, performance=measured(212))])
    assert day.model_verdict == tones.NEAR_FLOOR
    assert day.tone != tones.GOOD
    assert "near the floor" in day.said


@pytest.mark.parametrize("verdict", ["alert", "not_enough_evidence"])
def test_what_has_a_verdict_of_its_own_keeps_it(verdict: str) -> None:
    (day,) = with_standings([Day(DAY, performance=measured(208, verdict=verdict))])
    assert day.standing is None
    assert day.model_verdict == tones.of_model(verdict)


def test_a_difference_within_chance_or_of_few_points_is_no_colour() -> None:
    few = standings(week(measured(55, 60), measured(49, 60)))
    assert all(found.below is None for found in few.values())
    small = standings(week(measured(9200, 10_000), measured(8800, 10_000)))
    assert all(found.below is None for found in small.values())


def test_days_long_ago_are_no_measure() -> None:
    days = {DAY: measured(265), DAY + timedelta(days=USUAL_DAYS + 1): measured(229)}
    assert all(found.plain for found in standings(days).values())


def test_a_number_without_an_interval_has_no_standing() -> None:
    nothing = {"value": None, "low": None, "high": None, "n": 0, "reason": "no label"}
    assert standings({DAY: typed(Performance, samples.PERFORMANCE, verdict="ok", accuracy=nothing)}) == {}
