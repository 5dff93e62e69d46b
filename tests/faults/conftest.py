"""Faults and kills at every point where a day touches the outside; what was found is printed as a table at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driftwatch.config.loader import load_monitor
from driftwatch.labels.backends.toloka import journal

from .matrix import PROPERTY
from .world import World


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[World]:
    """For all files that have no world of their own, which tests/conftest.py sends to one worker."""
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRIFTWATCH_STORAGE", f"file://{folder}")
        monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    found = World(folder, monitor)
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def world(stand_ins: World) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRIFTWATCH_STORAGE", f"file://{stand_ins.folder}")
        for name, value in stand_ins.connections().items():
            patch.setenv(name, value)
        # The stand-ins are other processes: here nobody needs to wait for a minute's quota, or long for a listing.
        real = time.sleep
        patch.setattr(time, "sleep", lambda seconds: real(min(seconds, 0.05)))
        patch.setattr(journal, "SETTLE_SECONDS", 1.5)
        yield stand_ins


@pytest.fixture(autouse=True)
def no_faults_are_left(request: pytest.FixtureRequest) -> Iterator[None]:
    world = request.getfixturevalue("world") if "world" in request.fixturenames else None
    yield
    if world:
        world.no_faults()


@pytest.fixture
def cell(record_property: Callable[[str, object], None]) -> Callable[[str, str, str], None]:
    """`cell(call, fault, result)` puts a result into the table that is printed at the end."""
    return lambda call, fault, result: record_property(PROPERTY, json.dumps([call, fault, result]))


@pytest.fixture(scope="session")
def share(request: pytest.FixtureRequest) -> int:
    """`make test` meets every fault, and most calls, but one in 32 of the pairs; `make test-faults` all of them."""
    return 1 if request.config.getoption("--all-faults") else 32
