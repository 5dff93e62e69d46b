"""Which day a run is about. The only place that decides it, for scheduled, backfilled and manual runs alike.

Nothing asks the clock: a run that is cleared months later is about the same day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from driftwatch.errors import NeedsAttention

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftwatch.config import ScheduleConfig

# The schedule gives these runs their day. They start when it has ended. Images may still be on their way then: ingest_images waits.
OF_THE_SCHEDULE = ("scheduled", "backfill", "asset_triggered")


@dataclass(frozen=True)
class RunDay:
    """`day` in UTC; `why` it is that one, for people."""

    day: date
    why: str


def whole_from(day: date, schedule: ScheduleConfig) -> datetime:
    """The moment from which the day is whole: it has ended, and its images have arrived."""
    return datetime.combine(day, time.min, timezone.utc) + timedelta(days=1, hours=schedule.delivery_hours)


def day_of_run(dag_run: Any, params: Mapping[str, Any], schedule: ScheduleConfig) -> RunDay:
    """The day that the run is about.

    This is `params.day`. Without it: the run's logical date, if that day was whole when the run was due, else the last whole day. A day
    is whole when `schedule.delivery_hours` have passed after its end. A scheduled or backfilled run has the day of its interval. Airflow's
    trigger form fills in the present moment as the logical date, so a logical date alone never asks for a day that has not ended.

    Raises NeedsAttention if `params.day` has not begun; if it is not whole and `params.unfinished_day` is off; and if nothing names a day
    that the monitor watches.
    """
    due = dag_run.run_after.astimezone(timezone.utc)
    dated = dag_run.logical_date.astimezone(timezone.utc).date() if dag_run.logical_date is not None else None
    scheduled = dag_run.run_type in OF_THE_SCHEDULE
    if dated and not scheduled and not _watched(dated, schedule):
        raise NeedsAttention(
            f"the run's logical date, {dated}, is outside of schedule.start_date and end_date, and Airflow gives such a run no tasks: trigger "
            "the DAG with an empty logical date and with `day`"
        )
    if params.get("day"):
        return _named(str(params["day"]), due, scheduled or bool(params.get("unfinished_day")), schedule)
    if scheduled and not dated:
        return RunDay(due.date() - timedelta(days=1), "the day before it")
    if dated and (scheduled or whole_from(dated, schedule) <= due):
        return RunDay(dated, "the run's logical date")
    last = (due - timedelta(hours=schedule.delivery_hours)).date() - timedelta(days=1)
    if not _watched(last, schedule):
        raise NeedsAttention(
            f"the run names no day, and the last whole day before it, {last}, is outside of schedule.start_date and end_date: trigger the DAG "
            "with `day`"
        )
    why = f"the last whole day when the run was due, {due:%Y-%m-%d %H:%M} UTC (schedule.delivery_hours {schedule.delivery_hours:g})"
    return RunDay(last, why + (f"; its logical date, {dated}, was not over" if dated else ""))


def _watched(day: date, schedule: ScheduleConfig) -> bool:
    return schedule.start_date <= day <= (schedule.end_date or date.max)


def _named(text: str, due: datetime, unfinished: bool, schedule: ScheduleConfig) -> RunDay:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise NeedsAttention(f"params.day {text!r} is no date: give it as YYYY-MM-DD") from error
    if day > due.date():
        raise NeedsAttention(
            f"params.day {day} had not begun when the run was due, {due:%Y-%m-%d %H:%M} UTC: name a day that has"
        )
    whole = whole_from(day, schedule)
    if whole <= due:
        return RunDay(day, "named by `day`")
    if not unfinished:
        raise NeedsAttention(
            f"{day} is not over: its images arrive until {whole:%Y-%m-%d %H:%M} UTC (schedule.delivery_hours). Trigger the DAG for it after "
            "that. Or give `day` and switch on `unfinished_day` (Handle a day that has not ended): what is there now is then handled and paid for"
        )
    return RunDay(day, f"named by `day`; it is over and delivered only at {whole:%Y-%m-%d %H:%M} UTC")


def run_day(dag_run: Any, params: Mapping[str, Any], schedule: ScheduleConfig) -> str:
    """The day as YYYY-MM-DD, for the tasks' templates."""
    return day_of_run(dag_run, params, schedule).day.isoformat()


def about_run(dag_run: Any, params: Mapping[str, Any], schedule: ScheduleConfig) -> str:
    """The day, and why the run is about it, in one line."""
    found = day_of_run(dag_run, params, schedule)
    return f"{found.day}: {found.why}"
