"""A day of a hundred accepted images, as ingest leaves it, and logs of what production answered."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tests.stores import SMALLEST

from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.images.inputs import write_block, write_index
from driftwatch.models.logged.day import answer_day
from driftwatch.storage import open_storage

DAY = date(2026, 3, 4)
IMAGES, SIDE = 100, 16
VERSION = "v0001-00000000"
COLUMNS = {
    "key": "file",
    "prediction": "class",
    "scores": {"cat": "p_cat", "dog": "p_dog"},
    "model_version": "model",
    "time": "at",
}
# Where the demo's log lies.
PATH = "demo/answers/{day}/*"


def image_id(number: int) -> str:
    return hashlib.sha256(b"image %d" % number).hexdigest()


def config(
    root: Path,
    *,
    classes: Sequence[str] = ("cat", "dog"),
    output: str = "auto",
    mapping: Mapping[Any, str] | None = None,
    **logged: Any,
) -> MonitorConfig:
    section = {"path": PATH, "columns": COLUMNS, "settle_seconds": 0, "classes": mapping or {}, **logged}
    settings = {
        **SMALLEST,
        "classes": list(classes),
        "storage": {"uri": f"file://{root}"},
        "model": {
            "predictions": "logged",
            "logged": section,
            "output": output,
            "content_features": "none",
            "input_size": SIDE,
        },
    }
    return MonitorConfig.model_validate(settings)


def a_day(root: Path, **settings: Any) -> DayStore:
    """The day, taken in: 0000.jpg … are accepted, copy.jpg has the bytes of 0000.jpg, broken.jpg is quarantined, .hidden is ignored."""
    made = config(root, **settings)
    day = MonitorStore(open_storage(f"file://{root}"), made).day(DAY)
    files = [(f"{number:04d}.jpg", image_id(number), "accepted") for number in range(IMAGES)]
    files += [
        ("copy.jpg", image_id(0), "duplicate"),
        ("broken.jpg", "f" * 64, "quarantined"),
        (".hidden", None, "ignored"),
    ]
    rows = [(f"{day.keys.incoming}/{name}", found, status) for name, found, status in files]
    day.storage.write_table(day.keys.manifest, pd.DataFrame(rows, columns=["key", "image_id", "status"]))
    return day


def put_inputs(day: DayStore) -> None:
    """The stored inputs, in two blocks."""
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3)).astype(np.uint8)
    write_block(day, 0, pixels[:60])
    write_block(day, 1, pixels[60:])
    write_index(day, ModelInput(height=SIDE, width=SIDE), [60, IMAGES - 60])


def answer(number: int, **changes: Any) -> dict[str, Any]:
    """A row of the log: every third image is a dog."""
    dog = 0.9 if number % 3 == 0 else 0.2
    row = {
        "file": f"{number:04d}.jpg",
        "class": "dog" if dog > 0.5 else "cat",
        "p_cat": round(1 - dog, 4),
        "p_dog": dog,
        "model": "prod-7",
        "at": f"2026-03-04T10:{number // 60:02d}:{number % 60:02d}Z",
    }
    return {**row, **changes}


def answers(numbers: Sequence[int] | range = range(IMAGES)) -> list[dict[str, Any]]:
    return [answer(number) for number in numbers]


def put(day: DayStore, name: str, data: bytes | str) -> Path:
    """A file of the day's log."""
    key = f"demo/answers/{DAY}/{name}"
    day.storage.write_bytes(key, data if isinstance(data, bytes) else data.encode())
    path = day.storage.local_path(key)
    assert path is not None
    return path


def csv_of(rows: Sequence[Mapping[str, Any]], **options: Any) -> str:
    text: str = pd.DataFrame(rows).to_csv(index=False, **options)
    return text


def jsonl_of(rows: Sequence[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def parquet_of(rows: Sequence[Mapping[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer, index=False)
    return buffer.getvalue()


WRITERS = {"a.parquet": parquet_of, "a.csv": csv_of, "a.jsonl": jsonl_of}


def answered(day: DayStore) -> Answers:
    found = answer_day(day, VERSION, open_storage)
    assert found == day.read(Answers)
    assert found.rows == found.used + found.earlier + found.without_image + found.refused
    assert found.images == found.used + found.unanswered
    assert found.without_image == sum(found.strangers.values())
    assert found.refused == sum(found.reasons.values())
    table = day.storage.read_table(day.keys.predictions)
    assert len(table) == found.used
    assert table["image_id"].is_unique
    return found
