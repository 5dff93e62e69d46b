"""A share by day: the mean of seven days never mixes models, never reaches over a gap, and weighs days by their labels."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.driftwatch.view.typed import DAY

from driftwatch.artifacts.parts import Interval
from driftwatch.view.curves import Axis, curve


def share(value: float | None) -> Interval:
    return Interval(value=value, low=value, high=value)


def axis(*offsets: int, models: str = "", labels: tuple[float, ...] = ()) -> Axis:
    """Days so many days after the first."""
    days = [DAY + timedelta(days=offset) for offset in offsets]
    return Axis(days, list(models or "a" * len(days)), list(labels or [10.0] * len(days)))


def test_the_week_is_the_mean_of_the_days_so_far_weighted_by_labels_with_lowest_and_highest() -> None:
    found = curve([share(0.9), share(0.6)], axis(0, 1, labels=(30, 10))).week
    assert found.value == pytest.approx([0.9, 0.825])
    assert (found.low, found.high) == ([0.9, 0.6], [0.9, 0.9])


def test_a_day_falls_out_after_seven_days_however_many_are_missing() -> None:
    found = curve([share(0.5), share(0.9), share(1.0)], axis(0, 6, 7)).week
    assert found.value == pytest.approx([0.5, 0.7, 0.95])


def test_another_model_begins_anew() -> None:
    found = curve([share(0.9), share(0.9), share(0.5)], axis(0, 1, 2, models="aab")).week
    assert found.value == pytest.approx([0.9, 0.9, 0.5])


def test_over_a_day_that_was_not_measured_nothing_is_drawn() -> None:
    found = curve([share(0.9), None, share(None), share(0.7)], axis(0, 1, 2, 3))
    assert found.value == [0.9, None, None, 0.7]
    assert found.week.value == [0.9, None, None, pytest.approx(0.8)]
    assert found.text == ["90 %", "–", "–", "70 %"]
    assert curve([], axis()).week.value == []
