"""Rows that are kept on the local disk are found as a dictionary would give them, in little memory."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from driftwatch.images.rows_by_path import RowsByPath
from driftwatch.storage.local_disk import NoRoom


def test_each_path_has_its_rows_in_the_order_of_the_table():
    made = random.Random(1)
    rows = [(f"door-{made.randrange(900)}/é.jpg", str(number), made.choice(["", "night"])) for number in range(5_000)]
    expected: dict[str, list[tuple[str, ...]]] = {}
    for path, *fields in rows:
        expected.setdefault(path, []).append((*fields,))
    kept = RowsByPath(rows, 2)
    asked = [f"door-{number}/é.jpg" for number in range(1_200)]
    assert kept.of(asked) == {path: expected[path] for path in asked if path in expected}
    assert kept.of([]) == {}
    with ThreadPoolExecutor(8) as pool:  # of a web server
        assert all(pool.map(lambda path: kept.of([path]).get(path) == expected.get(path), asked))


@pytest.mark.parametrize(
    "name", ["", " lead.jpg", "a\0b", "half \ud800 a letter", "no \udcff UTF-8", "'; DROP TABLE rows; --", "é" * 3_000]
)
def test_a_name_of_any_kind_is_found_as_it_stands(name):
    assert RowsByPath([("other", "1"), (name, name)], 1).of([name, "none"]) == {name: [(name,)]}


def test_what_reading_the_table_raises_is_raised():
    def rows():
        yield "a", "1"
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        RowsByPath(rows(), 1)


def test_memory_does_not_grow_with_the_table():
    """Python's own share of it; bench.large_tables measures the process."""
    tracemalloc.start()
    try:
        kept = RowsByPath(((f"door-{number % 7}/{number:06d}.jpg", "night") for number in range(50_000)), 1)
        assert kept.of(["door-0/000000.jpg"])
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


def test_a_disk_that_is_full_is_told_with_what_to_do(monkeypatch):
    real = sqlite3.connect

    def full(*args, **settings):
        found = real(*args, **settings)
        found.execute("PRAGMA max_page_count = 20")
        return found

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(NoRoom, match=r"kept on the local disk \(database or disk is full\): free some of .*TMPDIR"):
        RowsByPath(((f"{number:06d}.jpg", "night") for number in range(50_000)), 1)


def test_the_rows_lie_where_tmpdir_says(tmp_path):
    """In a process of its own: SQLite reads TMPDIR once."""
    code = """
import os
from driftwatch.images.rows_by_path import RowsByPath
kept = RowsByPath(((f"{number:060d}.jpg", "night") for number in range(100_000)), 1)
links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
print(*(os.path.dirname(os.readlink(link)) for link in links if os.path.lexists(link)))
"""
    environment = {name: value for name, value in os.environ.items() if name != "SQLITE_TMPDIR"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) in done.stdout.split()
