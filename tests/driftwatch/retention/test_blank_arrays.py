"""Embeddings of forgotten images, of the whole day and of the sample that a large day is judged by, piece by piece."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.forgetting import WantedImage
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.retention.blank_arrays import blank_embeddings
from driftwatch.storage import arrays, open_storage

DAY = date(2026, 3, 1)
IDS = [f"{number:064x}" for number in range(25)]


@pytest.fixture
def store(tmp_path) -> MonitorStore:
    return monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))


def put(store: MonitorStore, table: str, array: str, rows: list[int]) -> np.ndarray:
    values = np.random.default_rng(0).normal(size=(25, 3)).astype("float16")[rows]
    store.storage.write_table(table, pd.DataFrame({"image_id": [IDS[row] for row in rows]}))
    store.storage.write_array(array, values)
    return values


@pytest.mark.parametrize("at_once", [4, 7, 100])
def test_they_become_the_mean_of_the_others_in_both_arrays(store, monkeypatch, at_once):
    monkeypatch.setattr(arrays.row_pieces, "__defaults__", (at_once,))
    keys = store.day(DAY).keys
    whole = put(store, keys.predictions, keys.embeddings, [*range(25)])
    sample = put(store, keys.judged_predictions, keys.judged_embeddings, [*range(0, 25, 3)])
    wanted = [WantedImage(image_id=IDS[row], token=f"f{row}", keys=()) for row in (3, 4, 24)]
    assert blank_embeddings(store, wanted) == 2
    for key, before, rows in ((keys.embeddings, whole, [3, 4, 24]), (keys.judged_embeddings, sample, [1, 8])):
        found = store.storage.read_array(key)
        others = np.delete(before, rows, axis=0)
        np.testing.assert_array_equal(np.delete(found, rows, axis=0), others)
        np.testing.assert_allclose(found[rows], np.tile(others.astype(float).mean(axis=0), (len(rows), 1)), atol=1e-3)


def test_a_day_without_the_images_stays_as_it_is(store):
    keys = store.day(DAY).keys
    put(store, keys.predictions, keys.embeddings, [*range(25)])
    before = store.storage.stamp(keys.embeddings)
    assert blank_embeddings(store, [WantedImage(image_id="e" * 64, token="f0", keys=())]) == 0
    assert store.storage.stamp(keys.embeddings) == before
