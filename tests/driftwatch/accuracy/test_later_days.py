"""Later days whose verdict rests on a day that was scored again are named."""

from __future__ import annotations

from datetime import date

from tests.stores import day_store, monitor_store

from driftwatch.accuracy.later_days import Outdated, outdated, outdated_after
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage

from .days import CARD, evaluated, with_settings, write_small_day


def test_late_labels_name_the_later_days_that_rest_on_them_and_have_another_verdict_now(
    storage: Storage, monitor: MonitorConfig
) -> None:
    monitor, layout = with_settings(monitor, policy=("floor", "drop")), MonitorKeys("demo")
    storage.write_json(layout.model_card("v1"), CARD)
    days = [write_small_day(storage, monitor, number, labels=18, wrong=0) for number in (5, 6, 20)]
    verdicts = [evaluated(storage, day, monitor).verdict for day in days]
    assert verdicts == ["not_enough_evidence", "ok", "not_enough_evidence"]
    assert outdated_after(monitor_store(storage, layout, monitor), days[0].day) == []
    write_small_day(storage, monitor, 5, labels=18, wrong=18)
    evaluated(storage, days[0], monitor)
    late = [Outdated(date(2026, 1, 6), "ok", "alert")]  # the 20th is too far to be pooled with the 5th
    stored = [day_store(storage, day, monitor).read(Performance) for day in days]
    assert (
        outdated(monitor_store(storage, layout, monitor), stored)
        == outdated_after(monitor_store(storage, layout, monitor), days[0].day)
        == late
    )
    assert outdated_after(monitor_store(storage, layout, monitor), days[1].day) == []
    assert evaluated(storage, days[1], monitor).verdict == "alert"
    assert outdated_after(monitor_store(storage, layout, monitor), days[0].day) == []


def test_a_day_that_turns_out_bad_makes_the_next_one_an_alert_by_the_rules_over_all_days(
    storage: Storage, monitor: MonitorConfig
) -> None:
    layout = MonitorKeys("demo")
    storage.write_json(layout.model_card("v1"), {**CARD, "gate": None})
    first, second = (write_small_day(storage, monitor, 5 + place, labels=60, wrong=12 * place) for place in (0, 1))
    assert [evaluated(storage, day, monitor).verdict for day in (first, second)] == ["ok", "ok"]
    write_small_day(storage, monitor, 5, labels=60, wrong=45)
    evaluated(storage, first, monitor)
    assert outdated_after(monitor_store(storage, layout, monitor), first.day) == [Outdated(second.day, "ok", "alert")]
    found = evaluated(storage, second, monitor)
    assert (found.verdict, found.policy.worse.since, found.policy.worse.days) == ("alert", first.day, 2)
