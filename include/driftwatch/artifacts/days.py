"""Which days a monitor has."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from driftwatch.artifacts.store import MonitorStore

if TYPE_CHECKING:
    pass


def days_of_data_since(store: MonitorStore, since: date, day: date) -> int:
    """Days after `since`, up to `day` and with it, on which images were taken in: a gap in the data does not count."""
    days = [other for other in store.keys.stored_days(store.storage) if since < other < day]
    return 1 + sum(store.storage.exists(store.keys.day(other).ingest) for other in days)
