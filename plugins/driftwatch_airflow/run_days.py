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

# Their day comes from the schedule. It makes a run when the day has ended, which may be before all is delivered: ingest_images waits.
OF_THE_SCHEDULE = ("scheduled", "backfill", "asset_triggered")


@dataclass(frozen=True)
class RunDay:
    """`day` in UTC; `why` it is that one, for people."""

    day: date
    why: str


def whole_from(day: date, schedule: ScheduleConfig) -> datetime:
    """When the day has ended and its images have arrived."""
    return datetime.combine(day, time.min, timezone.utc) + timedelta(days=1, hours=schedule.delivery_hours)


def day_of_run(dag_run: Any, params: Mapping[str, Any], schedule: ScheduleConfig) -> RunDay:
    """`params.day`, else the logical date where that day was whole when the run was due, else the last day that was.

    "Whole" is after `schedule.delivery_hours`. A scheduled or backfilled run has the day of its interval. Airflow's trigger form fills in
    the present as the logical date, so that alone asks for no day that has not ended. Raises NeedsAttention for a `params.day` that is not
    whole without `params.unfinished_day`, or has not begun, and where nothing names a day that the monitor watches.
    """
    due = dag_run.run_after.astimezone(timezone.utc)
    dated = dag_run.logical_date.astimezone(timezone.utc).date() if dag_run.logical_date is not None else None
    scheduled = dag_run.run_type in OF_THE_SCHEDULE
    if dated and not scheduled and not _watched(dated, schedule):
        raise NeedsAttention(
            f"its logical date, {dated}, is outside of schedule.start_date and end_date, and Airflow gives such a run no tasks: trigger "
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
            f"it names no day, and the last whole day before it, {last}, is outside of schedule.start_date and end_date: trigger the DAG "
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
            "that; or, to handle and pay for what is there now, switch on `unfinished_day` (Handle a day that has not ended) beside `day`"
        )
    return RunDay(day, f"named by `day`, which is over and delivered at {whole:%Y-%m-%d %H:%M} UTC only")


def run_day(dag_run: Any, params: Mapping[str, Any], schedule: ScheduleConfig) -> str:
    """The day as the tasks' templates have it, YYYY-MM-DD."""
    return day_of_run(dag_run, params, schedule).day.isoformat()


def about_run(dag_run: Any, params: Mapping[str, Any], schedule: ScheduleConfig) -> str:
    """The day, and why it is that one."""
    found = day_of_run(dag_run, params, schedule)
    return f"{found.day}: {found.why}"
