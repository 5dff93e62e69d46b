"""Which days are late, and which were never handled."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import SMALLEST, monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.watch.late import days_due, due, gaps, late_days

# By the defaults a verdict is due 6 hours of delivery, 48 of labelling and 6 of steps after the day's end.
DUE = datetime(2026, 1, 23, 12, tzinfo=timezone.utc)
TWENTIETH = date(2026, 1, 20)


@pytest.fixture
def store(tmp_path):
    return monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))


def put(store, day: date, *files: str) -> None:
    whole = {"ingest": samples.INGEST, "performance": samples.PERFORMANCE, "failure": samples.FAILURE, "drift": samples.DAY_DRIFT}  # fmt: skip
    for name in files:
        store.storage.write_json(store.keys.day(day).file(f"{name}.json"), whole[name])


def told(store, at: datetime, watched: date = TWENTIETH) -> list[tuple[int, bool]]:
    found = late_days(store, at, watched)
    return [(row.day.day, row.begun) for row in found.days] if found else []


def test_a_day_is_late_from_its_deadline_on_and_not_before(store):
    assert due(store.config, TWENTIETH) == DUE
    put(store, date(2026, 1, 19), "ingest", "performance")
    put(store, TWENTIETH, "ingest")
    assert told(store, DUE - timedelta(seconds=1)) == []
    assert told(store, DUE) == [(20, True)]
    assert late_days(store, DUE, TWENTIETH).since == DUE


def test_days_that_never_began_are_late_and_those_that_failed_or_have_a_verdict_are_not(store):
    put(store, date(2026, 1, 16), "ingest", "performance")
    put(store, date(2026, 1, 18), "failure")
    put(store, date(2026, 1, 19), "ingest")
    assert told(store, DUE) == [(17, False), (19, True), (20, False)]


def test_a_new_monitor_is_not_late_with_days_before_anybody_looked(store):
    assert told(store, DUE, watched=date(2026, 1, 19)) == [(19, False), (20, False)]
    put(store, date(2026, 1, 18), "ingest", "performance")  # it was at work before the first look
    put(store, date(2026, 1, 17), "ingest")
    assert told(store, DUE, watched=date(2026, 1, 19)) == [(17, True), (19, False), (20, False)]


def test_only_days_of_the_schedule_and_of_the_last_two_weeks_are_looked_at(store):
    days = days_due(store.config, DUE, date(2025, 1, 1))
    assert (days[0], days[-1], len(days)) == (date(2026, 1, 7), TWENTIETH, 14)
    ended = MonitorConfig.model_validate(
        {**SMALLEST, "schedule": {"start_date": "2026-01-15", "end_date": "2026-01-16"}}
    )
    assert days_due(ended, DUE, date(2025, 1, 1)) == [date(2026, 1, 15), date(2026, 1, 16)]
    assert days_due(ended, DUE + timedelta(days=30), date(2025, 1, 1)) == []


def test_the_deadline_follows_the_setting_and_without_labels_the_drift_is_the_verdict(tmp_path):
    schedule = {"start_date": "2026-01-01", "deadline_hours": 9}
    given = {name: value for name, value in SMALLEST.items() if name != "annotation"} | {"schedule": schedule}
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"), MonitorConfig.model_validate(given))
    put(store, TWENTIETH, "ingest")
    at = datetime(2026, 1, 21, 9, tzinfo=timezone.utc)
    assert told(store, at) == [(20, True)]
    put(store, TWENTIETH, "drift")
    assert told(store, at) == []


def test_gaps_are_the_days_between_that_nobody_handled_and_those_after_a_pause(store):
    stored = [date(2026, 1, 15), date(2026, 1, 17)]
    assert gaps(store.config, stored, DUE) == [date(2026, 1, day) for day in (16, 18, 19, 20, 21)]
    assert gaps(store.config, [], DUE) == []
