"""When the monitoring DAG runs, and how many of its days at once."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference
from airflow.timetables.interval import CronDataIntervalTimetable

if TYPE_CHECKING:
    from pendulum import DateTime

    from driftwatch.config import MonitorConfig

_MIDNIGHT = "0 0 * * *"
# Beside those that the schedule begins, so many days may be run by hand.
_BY_HAND = 3


class LastDaysTimetable(CronDataIntervalTimetable):
    """A run for each UTC day when it has ended. After a pause the runs begin with the oldest of the last `days` days that had none.

    A DAG takes it with `catchup=False`, by which Airflow asks where to go on after a pause. Backfills are not bounded by it.
    """

    def __init__(self, days: int) -> None:
        super().__init__(_MIDNIGHT, timezone="UTC")
        self.days = days

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> LastDaysTimetable:
        return cls(data["days"])

    def serialize(self) -> dict[str, Any]:
        return {"days": self.days}

    def _skip_to_latest(self, earliest: DateTime | None) -> DateTime:
        first = super()._skip_to_latest(None) - timedelta(days=self.days - 1)
        return first if earliest is None else max(first, self._align_to_next(earliest))


class DayDAG(DAG):
    """A DAG whose runs may have a deadline. In Airflow 3.3.2 `dag.test()` fails at the end of a run that has one, since it looks for the
    deadline in the database, where a test put none. So a test has none."""

    def test(self, *arguments: Any, **settings: Any) -> Any:
        self.deadline = None
        return super().test(*arguments, **settings)


def each_day(monitor: MonitorConfig) -> CronDataIntervalTimetable:
    """A run for each day, when it has ended; after a pause for the last `schedule.catchup` days too."""
    catchup = monitor.schedule.catchup
    return CronDataIntervalTimetable(_MIDNIGHT, "UTC") if isinstance(catchup, bool) else LastDaysTimetable(catchup)


def late_alert(monitor: MonitorConfig) -> DeadlineAlert | None:
    """By which Airflow tells of a run that has begun and has no end after `schedule.deadline_hours`. None where there is nobody to tell.

    The hours count from the moment at which the run was made. For a run of the schedule that is the day's end.
    """
    if not monitor.notifiers:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=monitor.deadline_hours),
        callback=SyncCallback("driftwatch_airflow.watch.day_is_late", kwargs={"monitor": monitor.name}),
    )


def days_at_once(monitor: MonitorConfig) -> int:
    """How many days may be at work at once: all that may be open, those that are caught up, and some by hand. So a new day never waits for
    those whose labels are still to come."""
    return math.ceil(monitor.longest_hours / 24) + monitor.schedule.catchup_days + _BY_HAND
