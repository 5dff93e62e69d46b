"""Which days and model versions a monitor has."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from driftwatch.artifacts.store import MonitorStore

if TYPE_CHECKING:
    from driftwatch.artifacts.keys import MonitorLayout
    from driftwatch.storage import Storage

_VERSION = re.compile(r"^v(\d{4,})-[0-9a-f]{8}$")


def days_of_data_since(store: MonitorStore, since: date, day: date) -> int:
    """Days after `since`, up to `day` and with it, on which images were taken in: a gap in the data does not count."""
    days = [other for other in store.keys.stored_days(store.storage) if since < other < day]
    return 1 + sum(store.storage.exists(store.keys.day(other).ingest) for other in days)


def model_versions(storage: Storage, keys: MonitorLayout) -> list[str]:
    """Every registered version, oldest first; a folder of another name, or without a card, is none."""
    found = [name for name in storage.folders(keys.models) if version_number(name)]
    return sorted((name for name in found if storage.exists(keys.model_card(name))), key=version_number)


def version_number(version: str) -> int:
    """The number of a version's name, from 1; 0 where it is none."""
    match = _VERSION.match(version)
    return int(match[1]) if match else 0
