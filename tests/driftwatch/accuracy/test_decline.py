"""The sequential test: it finds a decline that no day shows, and keeps its false-alarm rate whatever the days' sizes."""

from __future__ import annotations

import numpy as np

from driftwatch.accuracy.decline import DayCount, decline


def days(rng: np.random.Generator, accuracies, labels: int) -> list[DayCount]:
    return [DayCount(labels, int(rng.binomial(labels, accuracy)), 0.9) for accuracy in accuracies]


def first_alarm(found: list[DayCount], rate: float) -> int | None:
    return next((last for last in range(1, len(found) + 1) if decline(found[:last], rate).fires), None)


def test_a_slow_decline_is_found_though_no_day_is_far_from_usual() -> None:
    rng = np.random.default_rng(0)
    slow = [0.9] * 20 + list(np.linspace(0.9, 0.84, 60))
    alarms = [first_alarm(days(rng, slow, 50), 0.1) for _ in range(10)]
    assert all(alarm is not None and alarm > 20 for alarm in alarms)


def test_false_alarms_a_year_stay_below_the_stated_number() -> None:
    rng = np.random.default_rng(1)
    alarmed = sum(decline(days(rng, [0.9] * last, 40), 2.0).fires for last in (30, 100, 200, 365) for _ in range(25))
    assert alarmed <= 3  # two a year would be one day in 180


def test_it_says_how_near_an_alarm_is_and_an_empty_day_changes_nothing() -> None:
    some = [DayCount(50, 40, 0.9), DayCount(50, 41, 0.9)]
    found = decline(some, 0.1)
    assert 0 < found.evidence < 1
    assert not found.fires
    assert decline([*some, DayCount(0, 0, 0.9)], 0.1).evidence < 1
    assert decline([DayCount(200, 20, 0.9)] * 30, 0.1).fires  # no overflow
