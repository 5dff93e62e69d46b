"""Which days run after a pause, and how many at once; by Airflow's own reckoning of the next run."""

from __future__ import annotations

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig
from driftwatch_airflow.timetable import LastDaysTimetable, days_at_once, each_day

NOW = pendulum.datetime(2026, 11, 27, 9)
START = pendulum.datetime(2026, 1, 1)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("airflow.timetables.interval.utcnow", lambda: NOW)


def monitor(labels: dict | None = None, **schedule) -> MonitorConfig:
    given = {**SMALLEST, "schedule": {"start_date": "2026-01-01", **schedule}}
    return MonitorConfig.model_validate(given if labels is None else {**without(given), "labels": labels})


def without(given: dict) -> dict:
    return {name: value for name, value in given.items() if name != "annotation"}


def days_after(timetable, last: str | None, earliest=START, catchup: bool = False) -> list[str]:
    """The days that run now, one after another, when the last run was about `last`."""
    found, before = [], None
    if last:
        begun = pendulum.parse(last)
        before = DataInterval(begun, begun.add(days=1))
    while True:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=before, restriction=TimeRestriction(earliest, None, catchup)
        )
        if info.run_after > NOW:
            return found
        found.append(info.data_interval.start.to_date_string())
        before = info.data_interval


def test_after_a_pause_of_a_week_the_last_three_days_run_oldest_first_and_the_next_at_midnight():
    assert days_after(each_day(monitor(catchup=3)), "2026-11-18") == ["2026-11-24", "2026-11-25", "2026-11-26"]


def test_a_pause_that_is_shorter_than_catchup_loses_no_day_and_repeats_none():
    assert days_after(each_day(monitor(catchup=7)), "2026-11-24") == ["2026-11-25", "2026-11-26"]


def test_without_catchup_the_newest_day_alone_runs_and_a_new_monitor_begins_at_its_start():
    assert days_after(each_day(monitor()), "2026-11-18") == ["2026-11-26"]
    begun = pendulum.datetime(2026, 11, 25)
    assert days_after(each_day(monitor(catchup=7)), None, begun) == ["2026-11-25", "2026-11-26"]


def test_a_backfill_of_earlier_days_is_not_bounded():
    days = days_after(each_day(monitor(catchup=3)), None, pendulum.datetime(2026, 11, 1), catchup=True)
    assert (days[0], len(days)) == ("2026-11-01", 26)


def test_airflow_stores_the_timetable_and_reads_it_back():
    stored = LastDaysTimetable(5).serialize()
    assert stored == {"days": 5}
    assert days_after(LastDaysTimetable.deserialize(stored), "2026-11-01")[0] == "2026-11-22"


@pytest.mark.parametrize(
    ("labels", "schedule", "days"),
    [
        (None, {}, 6),  # 6 h of delivery, 48 h for people, 6 h of steps: three days, and three by hand
        (None, {"catchup": 7}, 13),
        (None, {"catchup": True}, 372),
        (None, {"delivery_hours": 72}, 9),
        ({"backend": "none"}, {}, 4),
    ],
)
def test_a_day_that_waits_for_people_leaves_room_for_every_day_that_may_follow_meanwhile(labels, schedule, days):
    assert days_at_once(monitor(labels, **schedule)) == days
