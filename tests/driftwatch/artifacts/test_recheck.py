"""How well two programs' answers agree is read as its model says, and written again to the byte."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.recheck import Recheck
from driftwatch.storage import open_storage

from . import samples
from .checks import read_whole


def test_a_file_is_read_whole_and_written_again(tmp_path: Path) -> None:
    storage, key = open_storage(f"file://{tmp_path}"), MonitorKeys("demo").day(date(2026, 1, 10)).recheck
    storage.write_json(key, samples.RECHECK)
    assert read_whole(storage, key, Recheck).images == 64
