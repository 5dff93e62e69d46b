"""The sample that a large day is judged by: drawn evenly, the same whatever the order and the cuts, and never more in memory than thrice."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.ingest import Ingest
from driftwatch.images import judged
from driftwatch.images.features import COLUMNS
from driftwatch.images.judged import (
    JudgedImages,
    is_sampled,
    judged_features,
    judged_predictions,
    keeping_answers,
    told_of,
)
from driftwatch.images.one_pass import FEATURE_TABLE, MANIFEST
from driftwatch.storage import Storage, open_storage, tables
from driftwatch.storage.tables import writing_table

from .days import day_of

DAY = DayKeys("cats", date(2026, 3, 1))


@pytest.fixture
def storage(tmp_path, monkeypatch) -> Storage:
    monkeypatch.setattr(judged, "MOST", 50)
    monkeypatch.setattr(tables, "ROWS", 64)
    return open_storage(f"file://{tmp_path}")


def images(n: int, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Manifest and features of `n` accepted images, and a row that is none behind each third one."""
    rng = np.random.default_rng(seed)
    ids = [rng.bytes(32).hex() for _ in range(n)]
    rows = [{"key": f"{i:05d}.jpg", "image_id": of, "status": "accepted", "reason": ""} for i, of in enumerate(ids)]
    others = [{"key": f"{i:05d}.no", "image_id": None, "status": "quarantined"} for i in range(0, n, 3)]
    manifest = pa.Table.from_pylist(sorted([*rows, *others], key=lambda row: row["key"]), MANIFEST)
    return manifest, pa.table([ids, *rng.normal(size=(len(COLUMNS), n))], schema=FEATURE_TABLE)


def take_in(storage: Storage, n: int, cut: int) -> Ingest:
    day, (manifest, features) = day_of(storage, DAY), images(n)
    found, at = JudgedImages(), 0
    for start in range(0, len(manifest), cut):
        part = manifest.slice(start, cut)
        accepted = part["status"].to_pylist().count("accepted")
        found.add(part, features.slice(at, accepted))
        at += accepted
    for key, table in ((DAY.manifest, manifest), (DAY.features, features)):
        with writing_table(storage, key, table.schema) as file:
            file.add(table)
    counts = Ingest(day=DAY.day, listed=len(manifest), accepted=n, duplicate=0, quarantined=len(manifest) - n, reasons={}, model_version="v1", input_size=32)  # fmt: skip
    count = found.write(day)
    day.write(counts if count is None else counts.model_copy(update={"judged": count}))
    return day.read(Ingest)


@pytest.mark.parametrize("cut", [1, 7, 64, 2000])
def test_the_images_with_the_smallest_ids_are_judged_in_the_days_order_whatever_the_cuts(storage, cut):
    assert take_in(storage, 1000, cut).judged == 50
    day, (manifest, features) = day_of(storage, DAY), images(1000)
    wanted = set(sorted(features["image_id"].to_pylist())[:50])
    all_features = features.to_pandas()
    expected = all_features[all_features["image_id"].isin(wanted)].reset_index(drop=True)
    assert judged_features(day).equals(expected)
    rows = manifest.to_pandas()
    kept = storage.read_table(DAY.judged)[manifest.column_names]
    assert kept["key"].tolist() == rows[rows["image_id"].isin(wanted)]["key"].tolist()
    take_in(storage, 1000, 999)
    assert storage.read_table(DAY.judged)[manifest.column_names].equals(kept)


def test_few_rows_are_held_at_once(storage, monkeypatch):
    held = []
    add = JudgedImages.add
    monkeypatch.setattr(JudgedImages, "add", lambda self, *part: (add(self, *part), held.append(self._rows))[0])
    take_in(storage, 3000, 10)
    assert max(held) <= 2 * 50


def test_a_day_of_no_more_images_is_judged_by_all_and_leaves_no_sample(storage):
    take_in(storage, 200, 64)
    for key in (DAY.judged_predictions, DAY.judged_embeddings):
        storage.write_bytes(key, b"of an earlier run")
    counts = take_in(storage, 50, 64)
    assert "judged" not in counts.model_fields_set
    assert not is_sampled(day_of(storage, DAY))
    assert not [item.key for item in storage.list(DAY.folder) if "judged" in item.key]
    assert judged_features(day_of(storage, DAY)).equals(storage.read_table(DAY.features))


def test_images_outside_the_sample_are_told_of_too_and_the_table_is_not_read_whole(storage, monkeypatch):
    take_in(storage, 1000, 64)
    day, ids = day_of(storage, DAY), images(1000)[1]["image_id"].to_pylist()
    monkeypatch.setattr(type(storage), "read_bytes", _no_whole_table(type(storage).read_bytes))
    outside = [ids[3], ids[998], *sorted(ids)[-2:]]
    told = told_of(day, DAY.manifest, ["key", "no_such_column"], outside)
    assert list(told.columns) == ["image_id", "key"]
    assert sorted(told["image_id"]) == sorted(outside)
    assert (
        told_of(day, DAY.features, [COLUMNS[0]], sorted(ids)[:3])["image_id"].tolist()
        == judged_features(day)["image_id"].tolist()
    )


def _no_whole_table(read):
    def of(self, key: str) -> bytes:
        assert key not in (DAY.manifest, DAY.features, DAY.predictions, DAY.embeddings), key
        return read(self, key)

    return of


@pytest.mark.parametrize("width", [0, 3])
def test_the_answers_to_the_judged_images_are_kept_while_all_are_written(storage, width):
    take_in(storage, 300, 64)
    day, ids = day_of(storage, DAY), images(300)[1]["image_id"]
    table = pa.table({"image_id": ids, "prediction": [f"class {number}" for number in range(300)]})
    embeddings = np.arange(300 * width, dtype="float16").reshape(300, width) if width else None
    with keeping_answers(day, table.schema, embeddings) as kept:
        for start in range(0, 300, 70):
            kept.add_table(table.slice(start, 70))
            kept.add_embeddings(None if embeddings is None else embeddings[start : start + 70])
    rows = np.flatnonzero(ids.to_pandas().isin(judged_features(day)["image_id"]))
    assert judged_predictions(day)["prediction"].tolist() == [f"class {row}" for row in rows]
    if embeddings is None:
        assert not storage.exists(DAY.judged_embeddings)
    else:
        np.testing.assert_array_equal(storage.read_array(DAY.judged_embeddings), embeddings[rows])


def test_images_without_an_answer_have_no_row(storage):
    take_in(storage, 300, 64)
    day = day_of(storage, DAY)
    answered = pa.table({"image_id": images(300)[1]["image_id"].to_pylist()[::2]})
    embeddings = np.ones((150, 2), "float16")
    with keeping_answers(day, answered.schema, embeddings, answered["image_id"]) as kept:
        kept.add_table(answered)
        kept.add_embeddings(embeddings[:99])
        kept.add_embeddings(embeddings[99:])
    assert len(storage.read_array(DAY.judged_embeddings)) == len(judged_predictions(day)) < 50


def test_of_a_day_that_is_judged_by_all_only_the_columns_asked_for_are_read(storage, monkeypatch):
    take_in(storage, 40, 64)
    monkeypatch.setattr(type(storage), "read_arrow", lambda *_: pytest.fail("a whole table was read"))
    told = told_of(day_of(storage, DAY), DAY.manifest, ["key", "no_such_column"])
    assert list(told.columns) == ["image_id", "key"]
    assert told["image_id"].count() >= 40


def test_nothing_is_told_of_a_large_day_that_production_answered_nobody_of(storage):
    take_in(storage, 300, 64)
    day = day_of(storage, DAY)
    answered = pa.table({"image_id": pa.array([], pa.string()), "prediction": pa.array([], pa.string())})
    with writing_table(storage, DAY.predictions, answered.schema):
        pass
    told = told_of(day, DAY.predictions, ["prediction"], ["0" * 64])
    assert (list(told.columns), len(told)) == (["image_id", "prediction"], 0)
