"""Days in a Label Studio that the tests of a process share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.label_studio_server.running import shared_server

from .days import LabelledDay, labelled_day


@pytest.fixture
def new_day(tmp_path: Path) -> Callable[..., LabelledDay]:
    server = shared_server()
    server.clear()
    return lambda **settings: labelled_day(server, tmp_path, **settings)


@pytest.fixture
def day(new_day: Callable[..., LabelledDay]) -> LabelledDay:
    """Three images and a control task, each for two people; its project is open."""
    made = new_day()
    made.create()
    return made
