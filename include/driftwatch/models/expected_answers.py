"""Reads the scores that the team's own serving gave for training images, for `driftwatch champion import --expect`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.logged import LoggedColumns, LoggedConfig
from driftwatch.config.parts import folded
from driftwatch.errors import NeedsAttention
from driftwatch.models.logged.columns import SCORE
from driftwatch.models.logged.registration import join_training

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import MonitorConfig


@dataclass(frozen=True)
class Expected:
    """`places` [n]: the rows of the training set's table that the answers are about. `scores` [n, classes]. `rows`: rows in the file;
    `unused`: those that name no training image, or cannot be read, by the reason."""

    places: np.ndarray
    scores: np.ndarray
    rows: int
    unused: dict[str, int]


def read_expected(store: MonitorStore, path: Path, table: pd.DataFrame) -> Expected:
    """The answers in the file, CSV, Parquet or JSON Lines. Columns are those of model.logged where the monitor file has that section; else
    key or image_id, and score.<class>. Raises NeedsAttention where no row is about an image of the training set, or there are no scores."""
    config = store.config if store.config.model.logged else _described(path, store.config)
    found = join_training(store, [path], table, config)
    unused = {**found.strangers, **found.reasons}
    if not len(found.table):
        raise NeedsAttention(
            f"{path}: none of its {found.rows} rows is about a training image ({', '.join(f'{reason}: {rows}' for reason, rows in unused.items()) or 'it is empty'}). An image is named by its path "
            "below the images folder, <class>/<file>, in the column key, or by the sha256 of its bytes in image_id"
        )
    if not found.counts.scores:
        raise NeedsAttention(
            f"{path} has no scores to compare: write the column {SCORE}{store.config.classes[0]} and one for each other class"
        )
    scores = found.table[[f"{SCORE}{name}" for name in store.config.classes]].to_numpy(float)
    return Expected(found.places, scores, found.rows, unused)


def _described(path: Path, config: MonitorConfig) -> MonitorConfig:
    """The monitor file with the columns by their usual names, and scores that are chances."""
    names = _names(path)
    by_fold = {folded(name): name for name in names}
    found = {name: by_fold.get(folded(f"{SCORE}{name}")) for name in config.classes}
    columns = LoggedColumns(
        key="key" if "key" in names else None,
        image_id="image_id" if "image_id" in names and "key" not in names else None,
        scores={name: column or f"{SCORE}{name}" for name, column in found.items()},
    )
    if len(names) == 1 and ";" in next(iter(names)):
        raise NeedsAttention(
            f"{path} is a CSV file whose fields are separated by a semicolon, as spreadsheets of some countries write it: save it with commas"
        )
    if columns.key is None and columns.image_id is None:
        raise NeedsAttention(
            f"{path} has the columns {sorted(names)}, and neither key (the path below the images folder) nor image_id (the sha256 of the "
            "image's bytes): add one, or describe the columns in model.logged of the monitor file"
        )
    missing = [f"{SCORE}{name}" for name, column in found.items() if column is None]
    if missing:
        raise NeedsAttention(
            f"{path} has no column {', '.join(missing)}; it has {sorted(names)}. There must be one for each class, by its name in classes"
        )
    logged = LoggedConfig(path="answers/{day}/*", columns=columns)
    output = "sigmoids" if config.model.output == "sigmoids" else "probabilities"
    return config.model_copy(update={"model": config.model.model_copy(update={"logged": logged, "output": output})})


def _names(path: Path) -> set[str]:
    """The names of the file's columns."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = [end.lower() for end in path.suffixes if end.lower() != ".gz"][-1:]
    try:
        if kind == [".parquet"]:
            return set(pq.read_schema(path).names)
        if kind in ([".csv"], [".tsv"]):
            return set(pd.read_csv(path, nrows=0, sep="\t" if kind == [".tsv"] else ",", encoding="utf-8-sig").columns)
        if kind in ([".jsonl"], [".ndjson"], [".json"]):
            return set(pd.read_json(path, lines=True, nrows=1, dtype=False).columns)
    except OSError as error:
        raise NeedsAttention(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, pa.ArrowException) as error:
        raise NeedsAttention(f"{path} cannot be read as {kind[0]}: {error}") from error
    raise NeedsAttention(f"{path}: --expect takes .csv, .tsv, .parquet and .jsonl files, with .gz after it or not")
