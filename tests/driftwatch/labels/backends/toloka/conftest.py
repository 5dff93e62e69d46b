"""A stand-in of its own for each test, without a crowd."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftwatch.config.loader import load_monitor
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.serving import running

from .campaigns import TOKEN, Toloka


@pytest.fixture
def monitor(root: Path):
    return load_monitor(root / "include/monitors/cats_vs_dogs.yaml")


@pytest.fixture
def toloka(tmp_path, monitor):
    with running(
        create_app(Settings(database=tmp_path / "toloka.db", token=TOKEN, crowd=False, operation_seconds=0.05))
    ) as url:
        yield Toloka(url, monitor, tmp_path)
