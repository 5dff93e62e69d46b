"""Days whose labels come from a table: the truth of each image is the first part of its file's name."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pandas as pd
from tests.driftwatch.view.conftest import day_builder
from tests.stores import SMALLEST

from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.labels.table import Outside
from driftwatch.storage import open_storage

DAY = date(2026, 1, 5)
SOON, LATER = datetime(2026, 1, 6, 6, tzinfo=timezone.utc), datetime(2026, 3, 1, tzinfo=timezone.utc)
FILES = {"covers": "all", "path": "truth/{day}/*", "columns": {"key": "file", "label": "truth"}, "settle_seconds": 0}


def by_table(uri: str, labels: dict[str, Any] | None = None, **table: Any) -> MonitorConfig:
    """A monitor whose labels are in files of each day; `labels` and `table` change its settings."""
    section = {"backend": "table", "table": {**FILES, **table}, **(labels or {})}
    without = {name: value for name, value in SMALLEST.items() if name != "annotation"}
    return MonitorConfig.model_validate({**without, "storage": {"uri": uri}, "labels": section})


def no_query(*_: Any) -> Any:
    raise AssertionError("no database is asked")


def outside(config: MonitorConfig, query: Any = no_query) -> Outside:
    return Outside(lambda uri: open_storage(uri), query)


def answered_day(config: MonitorConfig, date: date = DAY, accuracy: float = 0.9) -> DayStore:
    """A day of sixty images that the model has answered, and nobody has labelled."""
    storage = open_storage(config.storage.uri)
    people = MonitorConfig.model_validate({**SMALLEST, "storage": {"uri": config.storage.uri}})
    day_builder(storage, people)(date, accuracy=accuracy)
    day = MonitorStore(storage, config).day(date)
    keys = day.keys
    manifest = storage.read_table(keys.manifest)
    storage.write_table(keys.manifest, manifest.assign(phash=manifest["image_id"].str[:16]))
    for key in (keys.annotation, keys.assignments, keys.labels, keys.annotators, keys.performance):
        storage.delete(key)
    storage.delete(keys.performance_profile)
    return day


def files_of(day: DayStore) -> list[str]:
    """The names of the day's accepted images."""
    manifest = day.storage.read_table(day.keys.manifest)
    return [key.rpartition("/")[2] for key in manifest.loc[manifest["status"] == "accepted", "key"]]


def rows_of(names: list[str], **more: Any) -> pd.DataFrame:
    """What the table knows of the images with these names."""
    return pd.DataFrame({"file": names, "truth": [name.partition(".")[0] for name in names], **more})


def put_csv(day: DayStore, name: str, rows: pd.DataFrame) -> None:
    day.storage.write_bytes(f"truth/{day.date}/{name}", rows.to_csv(index=False).encode())
