"""Days that should have a verdict by now, and have none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.ingest import Ingest
from driftwatch.watch.findings import LateDay, LateDays

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore, MonitorStore
    from driftwatch.config import MonitorConfig

# A day that was due longer ago is told no more. The overview goes on showing it.
DAYS_BACK = 14


def due(monitor: MonitorConfig, day: date) -> datetime:
    """When the day's verdict is due."""
    return datetime.combine(day, time.min, timezone.utc) + timedelta(days=1, hours=monitor.deadline_hours)


def days_due(monitor: MonitorConfig, at: datetime, first: date) -> list[date]:
    """The monitored days from `first` on whose verdict was due within the last DAYS_BACK days before `at`, in order."""
    newest = (at - timedelta(days=1, hours=monitor.deadline_hours)).date()
    last = min(newest, monitor.schedule.end_date or newest)
    begin = max(first, monitor.schedule.start_date, newest - timedelta(days=DAYS_BACK - 1))
    return [begin + timedelta(days=number) for number in range((last - begin).days + 1)]


def late_days(store: MonitorStore, at: datetime, watched: date) -> LateDays | None:
    """The days without a verdict after their deadline; None where there are none. A day that failed or has no image has said so by itself.

    `watched`: the day of the watch's first look at the monitor. Days before it count if there are stored days before them.
    """
    first = min([watched, *store.days()[:1]])
    late = [row for day in days_due(store.config, at, first) if (row := _late(store.day(day)))]
    if not late:
        return None
    return LateDays(since=due(store.config, late[0].day), days=tuple(late), hours=store.config.deadline_hours)


def _late(day: DayStore) -> LateDay | None:
    verdict = Performance if day.config.labels.labelled else DayDrift
    if day.has(verdict) or day.has(Failure):
        return None
    return LateDay(day.date, begun=day.has(Ingest))


def gaps(monitor: MonitorConfig, stored: Sequence[date], at: datetime, most: int = 366) -> list[date]:
    """The days that have ended and should have begun by now, but were never handled: those without a folder from the first stored day on, the
    newest `most` days of them at most. `stored`: the days that have a folder, in order."""
    if not stored:
        return []
    hours = monitor.schedule.delivery_hours + monitor.images.wait_hours + 24
    newest = (at - timedelta(days=1, hours=hours)).date()
    last = min(newest, monitor.schedule.end_date or newest)
    begin = max(stored[0], last - timedelta(days=most - 1))
    known = set(stored)
    span = [begin + timedelta(days=number) for number in range((last - begin).days + 1)]
    return [day for day in span if day not in known]
