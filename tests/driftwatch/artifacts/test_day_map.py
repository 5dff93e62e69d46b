"""The map of a day is read as its model says, and written again to the byte."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from driftwatch.artifacts.day_map import DayMap
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage

from .checks import read_whole

MAP = {
    "day": "2026-01-10", "reference_version": "v0001-0a1b2c3d", "shares": [0.31, 0.12], "images": 480,
    "of_day": {"images": ["ab" * 32], "x": [1.25], "y": [-0.5]}, "of_reference": {"images": ["cd" * 32, ""], "x": [0.0, 0.1], "y": [0.2, 0.3]},
}  # fmt: skip


def test_a_file_is_read_whole_and_written_again(tmp_path: Path) -> None:
    storage, key = open_storage(f"file://{tmp_path}"), MonitorKeys("demo").day(date(2026, 1, 10)).day_map
    storage.write_json(key, MAP)
    assert read_whole(storage, key, DayMap).of_reference.images[1] == ""
