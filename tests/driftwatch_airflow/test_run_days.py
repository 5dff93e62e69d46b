"""Which day a run is about: never one that is not over, unless it is named and the form's switch is on."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from driftwatch.config import ScheduleConfig
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.run_days import about_run, day_of_run, run_day

SCHEDULE = ScheduleConfig(start_date=date(2026, 11, 1), end_date=None, delivery_hours=6)
NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
EARLY = datetime(2026, 11, 21, 5, 59, 59, tzinfo=timezone.utc)


def midnight(day: int) -> datetime:
    return datetime(2026, 11, day, tzinfo=timezone.utc)


def a_run(due: datetime, logical_date: datetime | None, run_type: str = "manual") -> Any:
    return SimpleNamespace(run_after=due, logical_date=logical_date, run_type=run_type)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (a_run(NOON, NOON), "2026-11-20"),
        (a_run(NOON, None), "2026-11-20"),
        (a_run(EARLY, EARLY), "2026-11-19"),
        (a_run(EARLY, None), "2026-11-19"),
        (a_run(EARLY + timedelta(seconds=1), None), "2026-11-20"),
        (a_run(NOON, NOON, "operator_triggered"), "2026-11-20"),
        (a_run(NOON, NOON, "asset_materialization"), "2026-11-20"),
        (a_run(NOON, midnight(18)), "2026-11-18"),
        (a_run(NOON, midnight(20) + timedelta(hours=23)), "2026-11-20"),
        (a_run(NOON, datetime(2026, 11, 18, 22, tzinfo=timezone(timedelta(hours=-5)))), "2026-11-19"),
        (a_run(EARLY, midnight(20)), "2026-11-19"),
        (a_run(NOON, midnight(28)), "2026-11-20"),
        (a_run(midnight(21), midnight(20), "scheduled"), "2026-11-20"),
        (a_run(NOON, midnight(18), "backfill"), "2026-11-18"),
        (a_run(midnight(21), None, "asset_triggered"), "2026-11-20"),
    ],
    ids=[
        "the form, with nothing filled in",
        "the API without a date",
        "the form, before the last day is delivered",
        "the API, before the last day is delivered",
        "the moment it is delivered",
        "another DAG's trigger",
        "the asset's own button",
        "the API with a past date",
        "late on the last whole day",
        "a date in another time zone",
        "a date that is over but not delivered",
        "a date in the future",
        "scheduled",
        "backfilled",
        "triggered by an asset",
    ],
)
def test_without_day_a_run_is_about_a_whole_day(run, expected):
    assert run_day(run, {}, SCHEDULE) == expected
    assert run_day(run, {"day": None, "unfinished_day": True}, SCHEDULE) == expected
    assert about_run(run, {}, SCHEDULE).startswith(f"{expected}: ")


def test_the_reason_is_told():
    assert day_of_run(a_run(NOON, NOON), {}, SCHEDULE).why == (
        "the last whole day when the run was due, 2026-11-21 12:00 UTC (schedule.delivery_hours 6); its logical date, 2026-11-21, was not over"
    )


@pytest.mark.parametrize("logical_date", [None, NOON, midnight(18)])
def test_a_named_whole_day_wins_even_outside_of_the_schedule(logical_date):
    for day in ("2026-11-03", "2025-01-01", "2026-11-20"):
        assert run_day(a_run(NOON, logical_date), {"day": day}, SCHEDULE) == day


@pytest.mark.parametrize(("due", "day"), [(NOON, "2026-11-21"), (EARLY, "2026-11-20"), (midnight(21), "2026-11-21")])
def test_a_day_that_is_not_over_needs_the_switch_that_the_refusal_names(due, day):
    run = a_run(due, due)
    with pytest.raises(NeedsAttention, match=rf"{day} is not over: .* until 2026-11-2\d 06:00 UTC .*`unfinished_day`"):
        run_day(run, {"day": day}, SCHEDULE)
    assert run_day(run, {"day": day, "unfinished_day": True}, SCHEDULE) == day
    assert "over and delivered only at 2026-11-2" in about_run(run, {"day": day, "unfinished_day": True}, SCHEDULE)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-11-22", "had not begun"),
        ("9999-12-31", "had not begun"),
        ("2026-13-01", "YYYY-MM-DD"),
        ("today", "YYYY-MM-DD"),
    ],
)
def test_no_switch_makes_a_day_of_what_is_none(day, said):
    with pytest.raises(NeedsAttention, match=said):
        run_day(a_run(NOON, None), {"day": day, "unfinished_day": True}, SCHEDULE)


@pytest.mark.parametrize(
    "schedule",
    [{"start_date": date(2026, 11, 21)}, {"start_date": date(2026, 1, 1), "end_date": date(2026, 11, 19)}],
    ids=["before its first day", "after its last"],
)
def test_a_monitor_pays_for_no_day_that_it_does_not_watch_unless_it_is_named(schedule):
    run, watched = a_run(NOON, None), ScheduleConfig(**schedule)
    with pytest.raises(
        NeedsAttention, match=r"2026-11-20, is outside of schedule\.start_date and end_date: trigger the DAG with `day`"
    ):
        run_day(run, {}, watched)
    assert run_day(run, {"day": "2026-11-20"}, watched) == "2026-11-20"


def test_the_forms_run_after_the_monitors_end_says_why_it_did_nothing():
    """Airflow gives a run whose logical date lies outside of the DAG's dates no tasks, and calls it a success."""
    ended = ScheduleConfig(start_date=date(2026, 1, 1), end_date=date(2026, 11, 19))
    with pytest.raises(
        NeedsAttention, match=r"2026-11-21, is outside .* no tasks: trigger the DAG with an empty logical date"
    ):
        run_day(a_run(NOON, NOON), {"day": "2026-11-18"}, ended)
    assert run_day(a_run(midnight(21), midnight(20), "backfill"), {"day": "2026-11-20"}, ended) == "2026-11-20"
