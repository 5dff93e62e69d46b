"""What a table costs that has the label of every image of a large day, in seconds and memory: to take its labels in, and to score the day.

    python -m bench.large_labels 1000000 3000000

The manifest, the answers and the table are made up; the table has files of a million rows, in another order than the images. Each step
runs in a process of its own, as a task does.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from bench.steps import DAY, alone, monitor_at, timed

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore

NOW = datetime(2026, 1, 20, tzinfo=timezone.utc)
FILE, PIECE, RIGHT = 1_000_000, 50_000, 0.9
CLASSES = np.array(["cat", "dog"])


def main(sizes: list[int]) -> None:
    print("| images | step | processor time, microseconds an image | most memory | of it the libraries |")
    print("|---|---|---|---|---|")
    for n in sizes:
        home = Path(tempfile.mkdtemp(prefix="driftwatch-labels-"))
        try:
            alone(_fill, home, n)
            for step in (_take, _score):
                cost = alone(step, home, n)
                told = f"{cost['seconds'] / n * 1e6:.1f} | {cost['peak'] / 1e6:.0f} MB | {cost['before'] / 1e6:.0f} MB"
                print(f"| {n:,} | {step.__doc__} | {told} |", flush=True)
        finally:
            shutil.rmtree(home)


def _day(home: Path) -> DayStore:
    table = {"covers": "all", "path": "truth/{day}/*", "columns": {"key": "file", "label": "truth"}}
    return monitor_at(home, labels={"backend": "table", "table": {**table, "settle_seconds": 0}}).day(DAY)


def _fill(home: Path, n: int) -> None:
    from driftwatch.artifacts.ingest import Ingest
    from driftwatch.images.features import COLUMNS
    from driftwatch.images.judged import JudgedImages, keeping_answers
    from driftwatch.storage.tables import writing_table

    day, rng, text, judged = _day(home), np.random.default_rng(n), pa.string(), JudgedImages()
    manifest = pa.schema([("image_id", text), ("key", text), ("status", text), ("phash", text)])
    answers = pa.schema(
        [("image_id", text), ("prediction", text), *((f"score.{name}", pa.float64()) for name in CLASSES), ("model_version", text)]
    )  # fmt: skip
    features = pa.schema([("image_id", text), *((name, pa.float64()) for name in COLUMNS)])
    about = Ingest(
        input_size=96, day=DAY, listed=n, accepted=n, duplicate=0, quarantined=0, reasons={}, model_version="v1"
    )
    with writing_table(day.storage, day.keys.manifest, manifest) as written:
        for start in range(0, n, PIECE):
            rows = min(PIECE, n - start)
            ids = [rng.bytes(32).hex() for _ in range(rows)]
            keys = [f"{day.keys.incoming}/{number:09d}.jpg" for number in range(start, start + rows)]
            table = pa.table(
                [ids, keys, ["accepted"] * rows, [rng.bytes(8).hex() for _ in range(rows)]], schema=manifest
            )
            written.add(table)
            judged.add(table, pa.table([ids, *rng.normal(size=(len(COLUMNS), rows))], schema=features))
    day.write(about.model_copy(update={"judged": judged.write(day)}))
    with (
        keeping_answers(day, answers, None) as kept,
        writing_table(day.storage, day.keys.predictions, answers) as written,
    ):
        assert kept is not None, "the day is judged by a sample"
        for piece in _ids(day):
            dog = rng.random(len(piece))
            said = pa.array(CLASSES[(dog > 0.5).astype(int)])
            table = pa.table([piece["image_id"], said, 1 - dog, dog, ["v1"] * len(piece)], schema=answers)
            written.add(table)
            kept.add_table(table)
    _write_truth(day, n, rng)


def _ids(day: DayStore) -> list[pa.Table]:
    from driftwatch.storage.tables import pieces

    return [*pieces(day.storage, day.keys.manifest, ["image_id"])]


def _write_truth(day: DayStore, n: int, rng: np.random.Generator) -> None:
    predictions = day.storage.read_arrow(day.keys.predictions, ["prediction"])["prediction"].to_numpy()
    cats = np.where(rng.random(n) < RIGHT, predictions == "cat", predictions == "dog")
    for number, rows in enumerate(np.array_split(rng.permutation(n), -(-n // FILE))):
        path = day.storage.local_path(f"truth/{DAY}/{number}.csv")
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        truth = pa.array(CLASSES[np.where(cats[rows], 0, 1)])
        pc.write_csv(pa.table({"file": [f"{row:09d}.jpg" for row in rows.tolist()], "truth": truth}), path)


def _take(home: Path, n: int) -> dict[str, float]:
    """take the labels in (`merge_annotations`)"""
    from driftwatch.images.judged import MOST
    from driftwatch.labels.table import Outside, read_labels, write_labels

    def no(*_: object) -> None:
        raise AssertionError("all lies in the storage")

    def step() -> None:
        day = _day(home)
        found = read_labels(day, Outside(no, no), NOW)
        assert (found.found.rows, found.found.labelled) == (n, min(n, MOST))
        write_labels(day, found)

    return timed(step)


def _score(home: Path, n: int) -> dict[str, float]:
    """score the day (`evaluate_performance`)"""
    from driftwatch.accuracy.evaluate import evaluate_day
    from driftwatch.models.metrics import share
    from driftwatch.view.verdicts import reasons

    def step() -> None:
        found = evaluate_day(_day(home), share(900, 1000, 0.95), reasons)
        assert abs((found.accuracy.value or 0) - RIGHT) < 0.01

    return timed(step)


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or [1_000_000, 3_000_000])
