"""Waits without a worker's slot for a moment, and for a file that somebody else writes for a day: a table beside its images, production's log."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from airflow.sdk.timezone import utcnow

from driftwatch_airflow.alerts import safe_to_tell
from driftwatch_airflow.run_days import OF_THE_SCHEDULE, whole_from
from driftwatch_airflow.triggers.patience import rested

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.config import MonitorConfig
    from driftwatch_airflow.monitor import DayOperator

LOOK_AGAIN = timedelta(minutes=10)


class Patience(NamedTuple):
    """For how many hours after the day was delivered its file may be missing, and the setting that says so."""

    hours: float
    setting: str


def of_tables(monitor: MonitorConfig) -> Patience:
    return Patience(monitor.images.wait_hours, "images.wait_hours")


def of_log(monitor: MonitorConfig) -> Patience:
    return Patience(monitor.logged_wait_hours, "model.logged.wait_hours")


def look_again(operator: DayOperator, context: Context, why: Exception, patience: Patience, method: str) -> None:
    """Defers until the file is looked for again, by `method`. `why`: what is wrong with it now.

    Returns where it is too late to wait, and where somebody waits who started the run by hand.
    """
    now = utcnow()
    until = whole_from(operator.date, operator.monitor.schedule) + timedelta(hours=patience.hours)
    if context["dag_run"].run_type in OF_THE_SCHEDULE and now < until:
        # What is wrong may say which task to clear, which is for those whose wait is over.
        limit = f"{until:%Y-%m-%d %H:%M} UTC ({patience.setting})"
        say(
            operator,
            context,
            f"Looking every ten minutes until {limit}; before that nothing is to be cleared. Now: {why}",
        )
        defer_until(operator, min(now + LOOK_AGAIN, until), now, method)


def say(operator: DayOperator, context: Context, waits_for: str) -> None:
    """Says what the task waits for before it defers: in its log, and in its XCom `waiting`, which Airflow's UI shows of a task that waits.
    Airflow takes secrets out of logs, and not out of XComs."""
    said = safe_to_tell(waits_for)
    operator.log.info("%s", said)
    context["ti"].xcom_push(key="waiting", value=f"{utcnow():%Y-%m-%d %H:%M:%S} UTC: {said}")


def defer_until(operator: DayOperator, moment: datetime, now: datetime, method: str) -> NoReturn:
    """Goes on with `method` at `moment`, or as soon after `now` as a task may that is deferred."""
    from airflow.providers.standard.triggers.temporal import DateTimeTrigger

    operator.defer(trigger=DateTimeTrigger(moment=rested(moment, now)), method_name=method)
