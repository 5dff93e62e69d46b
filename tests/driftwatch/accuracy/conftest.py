from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage, open_storage


@pytest.fixture
def monitor(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


@pytest.fixture
def storage(monitor: MonitorConfig) -> Storage:
    return open_storage(monitor.storage.uri)
