"""The day's inputs are read by block and by place, and nothing of an earlier run stays."""

from __future__ import annotations

from datetime import date

import cv2
import numpy as np
import pytest

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.errors import NeedsAttention
from driftwatch.images.ingest import ingest_day
from driftwatch.images.inputs import DayInputs
from driftwatch.storage import Storage, open_storage

from .days import MODEL, day_of

DAY = DayKeys("cats", date(2026, 3, 1))


LISTED = 1100


@pytest.fixture(scope="module")
def delivered() -> list[bytes]:
    """Small pictures, each another."""
    rng = np.random.default_rng(0)
    pictures = (cv2.resize(rng.integers(0, 255, (4, 5, 3), np.uint8), (40, 36)) for _ in range(LISTED))
    return [cv2.imencode(".jpg", rgb)[1].tobytes() for rgb in pictures]


@pytest.fixture
def storage(tmp_path, delivered) -> Storage:
    storage = open_storage(f"file://{tmp_path}/store")
    folder = storage.local_path(DAY.incoming)
    folder.mkdir(parents=True)
    for number, data in enumerate(delivered):
        (folder / f"{number:04d}.jpg").write_bytes(data)
    return storage


def test_a_day_taken_in_again_with_fewer_images_keeps_nothing_of_the_old_one(storage):
    ingest_day(day_of(storage, DAY), MODEL)
    for item in storage.list(DAY.incoming)[200:]:
        storage.delete(item.key)
    ingest_day(day_of(storage, DAY), MODEL)
    assert len(DayInputs(day_of(storage, DAY))) == 200
    (block, index) = (item.key for item in storage.list(DAY.inputs))
    assert (block, index) == (DayInputs(day_of(storage, DAY)).place(0)[0], DAY.inputs_index)


def test_stored_inputs_are_read_by_block_and_by_place(storage):
    ingest_day(day_of(storage, DAY), MODEL)
    stored = DayInputs(day_of(storage, DAY))
    everything = np.concatenate(list(stored.blocks()))
    assert everything.shape == (len(stored), 32, 32, 3) == (LISTED, 32, 32, 3)
    places = [1090, 0, 255, 254, 600, 0]
    np.testing.assert_array_equal(stored.take(places), everything[places])
    assert stored.take([]).shape == (0, 32, 32, 3)
    key, row = stored.place(600)
    np.testing.assert_array_equal(storage.read_array(key)[row], everything[600])
    storage.write_array(key, everything[:7])
    with pytest.raises(NeedsAttention, match=r"000002-[0-9a-f]{12}.npy is \[7, 32, 32, 3\]"):
        stored.take([600])
