"""What a table beside the images costs on a large day: one row of segments and one of boxes for each image, in seconds and memory.

    python -m bench.large_tables 1000000 3000000

Each step runs in a process of its own, as a task does. The rows stand in another order than the images.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from bench.steps import DAY, alone, monitor_at, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from driftwatch.artifacts.store import DayStore
    from driftwatch.images.segments import DaySegments
    from driftwatch.storage import StoredObject

SHOWN = 300


def main(sizes: list[int]) -> None:
    print("| images | table | step | processor time, microseconds an image | most memory | of it the libraries |")
    print("|---|---|---|---|---|---|")
    for n in sizes:
        for kind in ("csv", "parquet"):
            home = Path(tempfile.mkdtemp(prefix="driftwatch-tables-"))
            try:
                alone(_fill, home, kind, n)
                for step in (_count, _mark, _show):
                    cost = alone(step, home, kind, n)
                    told = (
                        f"{cost['seconds'] / n * 1e6:.1f} | {cost['peak'] / 1e6:.0f} MB | {cost['before'] / 1e6:.0f} MB"
                    )
                    print(f"| {n:,} | {kind} | {step.__doc__} | {told} |", flush=True)
            finally:
                shutil.rmtree(home)


def _day(home: Path, kind: str) -> DayStore:
    table = {"path": f"tables/segments.{kind}", "key": "file", "column": "door"}
    labels = {"backend": "toloka", "project_name": "-", "question": "-", "instructions": "-"}
    boxes = {"path": f"tables/boxes.{kind}", "key": "file", "training": "show"}
    return monitor_at(home, segments={"door": {"table": table}}, labels={**labels, "blur": boxes}).day(DAY)


def _path(number: int) -> str:
    return f"door-{number % 700:03d}/{number:09d}.jpg"


def _fill(home: Path, kind: str, n: int) -> None:
    day, numbers = _day(home, kind), np.random.default_rng(n).permutation(n)
    files = [_path(number) for number in numbers.tolist()]
    tables = {
        "segments": pa.table({"file": files, "door": [path.partition("/")[0] for path in files]}),
        "boxes": pa.table({"file": files, **{name: numbers % 90 + 1 for name in ("x", "y", "width", "height")}}),
    }
    for name, table in tables.items():
        path = day.storage.local_path(f"tables/{name}.{kind}")
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        (pc.write_csv if kind == "csv" else pq.write_table)(table, path)


def _segments(home: Path, kind: str) -> tuple[DayStore, DaySegments]:
    from driftwatch.images.segments import DaySegments

    day = _day(home, kind)
    return day, DaySegments.of(day)


def _listed(day: DayStore, n: int) -> Iterator[StoredObject]:
    from driftwatch.storage import StoredObject

    return (StoredObject(f"{day.keys.incoming}/{_path(number)}", 1) for number in range(n))


def _count(home: Path, kind: str, n: int) -> dict[str, float]:
    """count the segments of the listing (`ingest_images`)"""

    def step() -> None:
        day, segments = _segments(home, kind)
        assert sum(1 for _ in segments.counted(day, _listed(day, n))) == n

    return timed(step)


def _mark(home: Path, kind: str, n: int) -> dict[str, float]:
    """give each image its segment (`merge_shards`)"""
    from driftwatch.images.shards import BLOCK

    def step() -> None:
        day, segments = _segments(home, kind)
        for start in range(0, n, BLOCK):
            paths = [_path(number) for number in range(start, min(start + BLOCK, n))]
            found = segments.of_keys("door", [f"{day.keys.incoming}/{path}" for path in paths])
            assert found == [path.partition("/")[0] for path in paths]

    return timed(step)


def _show(home: Path, kind: str, n: int) -> dict[str, float]:
    """find the boxes of 300 images (`create_annotation_pool`)"""
    from driftwatch.images.covered import Covers

    def step() -> None:
        day = _day(home, kind)
        covers = Covers.of(day.monitor)
        assert covers is not None
        covers.look(day.date)
        assert all(covers._boxes(f"{day.keys.incoming}/{_path(number)}") for number in range(SHOWN))

    return timed(step)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1_000_000, 3_000_000])
