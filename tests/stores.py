"""Stores for tests that need no whole monitor file."""

from __future__ import annotations

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage

SMALLEST = {
    "name": "demo",
    "classes": ["cat", "dog"],
    "schedule": {"start_date": "2026-01-01"},
    "storage": {"uri": "file:///nowhere"},
    "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
}


def monitor_store(storage: Storage, layout: MonitorKeys, config: MonitorConfig | None = None) -> MonitorStore:
    """The store of a monitor named as `layout` says; of the smallest monitor file where `config` is none."""
    config = config or MonitorConfig.model_validate(SMALLEST)
    return MonitorStore(storage, config.model_copy(update={"name": layout.monitor}))


def day_store(storage: Storage, keys: DayKeys, config: MonitorConfig | None = None) -> DayStore:
    """The same, of one day."""
    return monitor_store(storage, MonitorKeys(keys.monitor), config).day(keys.day)
