"""The day's report, as a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from tests.stores import monitor_store

from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from driftwatch.view.report import write_report

from .pages import DAY, LAYOUT, Page


@pytest.fixture
def report(storage: Storage, config: MonitorConfig) -> Callable[..., Page]:
    def write(day: date = DAY) -> Page:
        return Page(storage.read_bytes(write_report(monitor_store(storage, LAYOUT, config).day(day))).decode())

    return write
