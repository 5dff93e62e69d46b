"""Which days a monitor has."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftwatch.artifacts.keys import MonitorLayout
    from driftwatch.storage import Storage


def days_of_data_since(storage: Storage, layout: MonitorLayout, since: date, day: date) -> int:
    """Days after `since`, up to `day` and with it, on which images were taken in: a gap in the data does not count."""
    days = [other for other in layout.stored_days(storage) if since < other < day]
    return 1 + sum(storage.exists(layout.day(other).ingest) for other in days)
