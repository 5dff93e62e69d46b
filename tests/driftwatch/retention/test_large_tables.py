"""Images are found and taken out of tables that are read piece by piece, as of tables that are held."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.images.near_duplicates import MAX_DISTANCE
from driftwatch.retention.blank_tables import blank_parquet
from driftwatch.retention.large_tables import blank_large
from driftwatch.retention.search import ListedImages, nearly_the_same, replacements, wanted_images
from driftwatch.storage import Storage, open_storage, tables

LAYOUT = MonitorKeys("demo")


@pytest.fixture
def store(tmp_path, monkeypatch: pytest.MonkeyPatch) -> MonitorStore:
    """Two days and a training set; the second day has a file of the first again, under another name."""
    monkeypatch.setattr(tables, "ROWS", 8)
    store, rng = monitor_store(open_storage(f"file://{tmp_path}"), LAYOUT), np.random.default_rng(0)
    for number in (4, 5):
        day = LAYOUT.day(date(2026, 1, number))
        rows = pd.DataFrame(
            {
                "image_id": [f"{number}{place:063d}" for place in range(40)],
                "key": [f"old_name/incoming/{day.day}/{place}.jpg" for place in range(40)],
                "status": "accepted",
                "phash": [rng.bytes(8).hex() for _ in range(40)],
            }
        )
        rows.loc[39, ["image_id", "phash"]] = [f"4{3:063d}", "00000000000000ff"]
        rows.loc[7, ["image_id", "phash", "status"]] = [None, None, "ignored"]
        if number == 4:
            rows.loc[3, "phash"] = "00000000000000ff"
            rows.loc[11, "phash"] = "00000000000000fe"
        with tables.writing_table(
            store.storage, day.manifest, pa.Schema.from_pandas(rows, preserve_index=False)
        ) as file:
            file.add(pa.Table.from_pandas(rows, preserve_index=False))
        store.storage.write_table(
            day.features, rows[["image_id"]].dropna().assign(**{"image.sharpness": rng.random(39)})
        )
    known = {"image_id": ["t1", "t2"], "key": ["demo/training/images/cat/1.jpg", "demo/training/images/3.jpg"]}
    store.storage.write_table(LAYOUT.training_set, pd.DataFrame(known))
    return store


@pytest.fixture
def no_whole_table(monkeypatch: pytest.MonkeyPatch, store: MonitorStore) -> Callable[[], None]:
    read = type(store.storage).read_bytes

    def of(self: Storage, key: str) -> bytes:
        assert not key.endswith(("manifest.parquet", "set.parquet")), f"{key} is read whole"
        return read(self, key)

    return lambda: monkeypatch.setattr(type(store.storage), "read_bytes", of)


def test_images_are_found_by_their_id_and_by_each_name_of_their_files(store: MonitorStore, no_whole_table) -> None:
    no_whole_table()
    listed, one = ListedImages(store), f"4{3:063d}"
    for name in (one, "incoming/2026-01-04/3.jpg", "demo/incoming/2026-01-04/3.jpg", "incoming/2026-01-05/39.jpg"):
        (found,) = wanted_images(listed, [name, name], "demo")
        assert found.image_id == one
        assert [key for key in found.keys if key.startswith("demo")] == [
            "demo/incoming/2026-01-04/3.jpg", "demo/incoming/2026-01-04/39.jpg", "demo/incoming/2026-01-05/39.jpg",
        ]  # fmt: skip
        assert len(found.keys) == 6  # and under the name that the monitor had
    both = wanted_images(listed, ["training/images/3.jpg", one], "demo")
    assert [image.image_id for image in both] == ["t2", one]
    for stranger in ("3.jpg", "incoming/2026-01-04/33.jpg.png", "incoming/2026-01-04/7.jpg", "x" * 64):
        with pytest.raises(NeedsAttention, match="no image of demo has this sha256 or this key"):
            wanted_images(listed, [one, stranger], "demo")


def test_what_looks_nearly_the_same_is_told_once_the_nearest_first(store: MonitorStore, no_whole_table) -> None:
    no_whole_table()
    listed = ListedImages(store)
    (near,) = nearly_the_same(listed, wanted_images(listed, [f"4{3:063d}"], "demo"))
    assert (near.image_id, near.differs) == (f"4{11:063d}", 1)
    assert near.differs <= MAX_DISTANCE
    assert nearly_the_same(listed, wanted_images(listed, ["t1"], "demo")) == []


def test_a_table_loses_the_images_as_one_that_is_held_and_keeps_all_else(store: MonitorStore) -> None:
    day = LAYOUT.day(date(2026, 1, 4))
    images = wanted_images(ListedImages(store), ["incoming/2026-01-04/3.jpg", "incoming/2026-01-04/20.jpg"], "demo")
    names = replacements(images)
    for key in (day.manifest, day.features):
        before = store.storage.read_bytes(key)
        expected = pq.read_table(io.BytesIO(blank_parquet(before, names)))
        assert blank_large(store.storage, key, names)
        found = store.storage.read_arrow(key)
        assert found.schema.equals(pq.read_table(io.BytesIO(before)).schema, check_metadata=True)
        for name in expected.column_names:
            if name != "image.sharpness":  # it becomes the median of the others, here of those of its piece
                assert found[name].to_pylist() == expected[name].to_pylist(), name
        after = store.storage.read_bytes(key)
        assert not blank_large(store.storage, key, names)  # a repeat finds nothing, and writes nothing
        assert store.storage.read_bytes(key) == after
    was = pq.read_table(io.BytesIO(before))["image.sharpness"].to_numpy()
    now = store.storage.read_arrow(day.features)["image.sharpness"].to_numpy()
    changed = np.flatnonzero(was != now).tolist()
    assert changed == [3, 19, 38]  # 39 rows: the seventh of the manifest has no id
    assert now[3] == np.median(np.delete(was[:39], changed))
