"""What production's log of a large day costs predict_labels: seconds and memory.

    python -m bench.large_log 1000000 3000000

Manifest and log are made up. The log has ten scores a row, in Parquet files of 100,000 rows in any order. One image in a hundred has no answer,
and one has two.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from bench.steps import DAY, alone, monitor_at, timed
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.store import DayStore
from driftwatch.storage import open_storage
from driftwatch.storage.tables import writing_table

CLASSES, OF_FILE, JUDGED = tuple(f"class{place}" for place in range(10)), 100_000, 100_000


def main(sizes: list[int]) -> None:
    print("| images | processor time, microseconds an image | most memory | of it the libraries |\n|---|---|---|---|")
    for n in sizes:
        home = Path(tempfile.mkdtemp(prefix="driftwatch-log-"))
        try:
            alone(_fill, home, n)
            cost = alone(_answer, home, n)
            print(
                f"| {n:,} | {cost['seconds'] / n * 1e6:.1f} | {cost['peak'] / 1e6:.0f} MB | {cost['before'] / 1e6:.0f} MB |",
                flush=True,
            )
        finally:
            shutil.rmtree(home)


def _day(home: Path) -> DayStore:
    columns = {"key": "file", "prediction": "class", "scores": {name: name for name in CLASSES}, "time": "at"}
    logged = {"path": "log/{day}/*.parquet", "columns": columns, "settle_seconds": 0}
    model = {"predictions": "logged", "logged": logged, "content_features": "none"}
    return monitor_at(home, classes=list(CLASSES), model=model).day(DAY)


def _fill(home: Path, n: int) -> None:
    day, rng, text = _day(home), np.random.default_rng(n), pa.string()
    manifest = pa.schema([("image_id", text), ("key", text), ("status", text)])
    ids: list[str] = []
    with writing_table(day.storage, day.keys.manifest, manifest) as file:
        for start in range(0, n, OF_FILE):
            part = [rng.bytes(32).hex() for _ in range(min(OF_FILE, n - start))]
            keys = [f"{day.keys.incoming}/{number:09d}.jpg" for number in range(start, start + len(part))]
            file.add(pa.table([part, keys, ["accepted"] * len(part)], schema=manifest))
            ids = sorted([*ids, *part])[:JUDGED]
    day.storage.write_table(day.keys.judged, pd.DataFrame({"image_id": ids}))
    day.write(
        Ingest(input_size=96, day=DAY, listed=n, accepted=n, duplicate=0, quarantined=0, reasons={}, model_version="v1", judged=len(ids))
    )  # fmt: skip
    rows = rng.permutation(n)
    rows[::100] = rows[1::100][: len(rows[::100])]
    for start in range(0, n, OF_FILE):
        numbers = rows[start : start + OF_FILE]
        scores = rng.dirichlet(1 / np.arange(1, 11), len(numbers)).round(6)
        table = pd.DataFrame(scores, columns=list(CLASSES))
        table["file"] = [f"{number:09d}.jpg" for number in numbers]
        table["class"] = np.array(CLASSES)[scores.argmax(axis=1)]
        table["at"] = pd.Timestamp("2026-01-05T10:00:00Z")
        day.storage.write_table(f"log/{DAY}/{start:09d}.parquet", table)


def _answer(home: Path, n: int) -> dict[str, float]:
    from driftwatch.models.logged.day import answer_day

    day = _day(home)

    def answer() -> None:
        found = answer_day(day, "v1", open_storage)
        assert (found.used, found.earlier) == (n - n // 100, n // 100)

    return timed(answer)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or [1_000_000, 3_000_000])
