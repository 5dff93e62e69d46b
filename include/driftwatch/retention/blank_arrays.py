"""Takes images out of what has no ids: the model's inputs, embeddings, and the rows of references."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.forgetting import WantedImage
from driftwatch.artifacts.store import MonitorStore
from driftwatch.drift.embeddings import project
from driftwatch.images.inputs import blacken
from driftwatch.models.original_set import set_keys
from driftwatch.storage.arrays import open_array, row_pieces, writing_rows
from driftwatch.storage.tables import open_table, pieces

# What is stored was computed once, and is computed again here.
_NEAR, _NEAR_ZERO = 1e-6, 1e-9


def blank_inputs(store: MonitorStore, images: Sequence[WantedImage]) -> int:
    """Makes their pictures in the days' and the training set's inputs black. Returns how many objects changed."""
    changed = 0
    for day in store.days():
        of_day = store.day(day)
        rows = _places(store, of_day.keys.features, images)
        if rows:
            changed += blacken(of_day, rows)
    key = set_keys(store).inputs
    if store.storage.exists(key):
        changed += sum(_black(store, key, row) for row in _places(store, set_keys(store).table, images))
    return changed


def blank_embeddings(store: MonitorStore, images: Sequence[WantedImage]) -> int:
    """Makes their embeddings the mean of the day's others. Returns how many objects changed."""
    changed = 0
    for day in store.days():
        keys = store.day(day).keys
        for table, key in ((keys.predictions, keys.embeddings), (keys.judged_predictions, keys.judged_embeddings)):
            rows = _places(store, table, images)
            if rows and store.storage.exists(key):
                _blank_rows(store, key, rows)
                changed += 1
    return changed


def _blank_rows(store: MonitorStore, key: str, rows: Sequence[int]) -> None:
    """Replaces an array whole, piece by piece."""
    total, others, length = np.zeros(0), 0, 0
    with open_array(store.storage, key) as array:
        for piece in array.pieces():
            here = [row - length for row in rows if 0 <= row - length < len(piece)]
            kept = np.delete(piece, here, axis=0).astype(float)
            total = kept.sum(axis=0) + (total if others else 0)
            others, length = others + len(kept), length + len(piece)
        at = 0
        with writing_rows(store.storage, key, length, next(array.pieces(1))) as add:
            for piece in array.pieces():
                here = [row - at for row in rows if 0 <= row - at < len(piece)]
                blanked = piece.copy()
                blanked[here] = total / others if others else 0
                add(blanked)
                at += len(piece)


def blank_references(store: MonitorStore, images: Sequence[WantedImage]) -> int:
    """Makes their rows of references the median of the others. References have no ids: a row is theirs if it has their numbers.

    It needs what was measured of the images, so it comes before that is blanked. Returns how many objects changed.
    """
    features, components = _features_of(store, images), _components_of(store, images)
    changed = 0
    for item in store.storage.list(f"{store.keys.monitor}/reference"):
        if item.key.endswith("/features.parquet"):
            changed += _without(store, item.key, features)
        elif item.key.endswith("/content.parquet"):
            changed += sum(_without(store, item.key, found) for found in components)
    return changed


def _places(store: MonitorStore, key: str, images: Sequence[WantedImage]) -> list[int]:
    """The rows of the table at `key` that are about the images, whether it still has their ids or not."""
    if not store.storage.exists(key):
        return []
    names = {name for image in images for name in (image.image_id, image.token)}
    wanted = pa.array(sorted(names), pa.string())
    found, start = [], 0
    for piece in pieces(store.storage, key, ["image_id"]):
        there = pc.is_in(piece["image_id"], value_set=wanted).to_numpy()
        found += (start + np.flatnonzero(there)).tolist()
        start += len(piece)
    return found


def _rows(store: MonitorStore, key: str, rows: Sequence[int]) -> pd.DataFrame:
    """These rows of a table."""
    with open_table(store.storage, key) as table:
        parts = [piece for row in rows for piece in table.pieces(None, row, row + 1)]
    return pa.concat_tables(parts).to_pandas()


def _black(store: MonitorStore, key: str, row: int) -> bool:
    array = store.storage.read_array(key)
    if not array[row].any():
        return False
    array = array.copy()
    array[row] = 0
    store.storage.write_array(key, array)
    return True


def _features_of(store: MonitorStore, images: Sequence[WantedImage]) -> pd.DataFrame:
    """What was measured of the images, of each day and of the training set."""
    keys = [store.day(day).keys.features for day in store.days()] + [set_keys(store).features]
    found = [_rows(store, key, rows) for key in keys if (rows := _places(store, key, images))]
    return pd.concat([pd.DataFrame(), *found], ignore_index=True)


def _components_of(store: MonitorStore, images: Sequence[WantedImage]) -> list[pd.DataFrame]:
    """The components of the images' embeddings by each version that has a projection; those of training images by its points."""
    embeddings = [found for day in store.days() if (found := _embeddings_of(store, day, images)) is not None]
    parts = []
    for version in store.storage.folders(f"{store.keys.monitor}/reference"):
        points, key = store.keys.reference_points(version), store.keys.reference_projection(version)
        if rows := _places(store, points, images):
            parts.append(store.storage.read_table(points).iloc[rows])
        if embeddings and store.storage.exists(key):
            matrix = store.storage.read_array(key)
            parts += [project(found, matrix) for found in embeddings if found.shape[1] == matrix.shape[1] - 1]
    return parts


def _embeddings_of(store: MonitorStore, day: date, images: Sequence[WantedImage]) -> np.ndarray | None:
    keys = store.day(day).keys
    rows = _places(store, keys.predictions, images)
    if not rows or not store.storage.exists(keys.embeddings):
        return None
    start, found = 0, []
    for piece in row_pieces(store.storage, keys.embeddings):
        found.append(piece[[row - start for row in rows if 0 <= row - start < len(piece)]])
        start += len(piece)
    return np.concatenate(found)


def _without(store: MonitorStore, key: str, theirs: pd.DataFrame) -> bool:
    """Blanks the rows of the reference at `key` that are among `theirs`; whether there was one."""
    table = store.storage.read_table(key)
    columns = [name for name in table.columns if name in theirs.columns and pd.api.types.is_numeric_dtype(table[name])]
    if theirs.empty or not columns:
        return False
    ours, wanted = table[columns].to_numpy(float), theirs[columns].to_numpy(float)
    same = np.zeros(len(ours), bool)
    for row in wanted:
        same |= np.isclose(ours, row, rtol=_NEAR, atol=_NEAR_ZERO).all(axis=1)
    if not same.any() or same.all():
        return False
    table.loc[same, columns] = np.median(ours[~same], axis=0)
    store.storage.write_table(key, table)
    return True
