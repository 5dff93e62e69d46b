"""JSON, tables and arrays on every kind of storage (conftest.py)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.errors import DamagedArtifact


def test_what_is_written_is_read_back(storage):
    table = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    storage.write_json("m/days/d/a.json", {"b": [1.5, "é"]})
    storage.write_table("m/t.parquet", table)
    storage.write_array("m/x.npy", np.arange(6, dtype=np.uint8).reshape(2, 3))
    assert storage.read_json("m/days/d/a.json") == {"b": [1.5, "é"]}
    pd.testing.assert_frame_equal(storage.read_table("m/t.parquet"), table)
    assert storage.read_array("m/x.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_same_table_written_twice_has_the_same_bytes(storage):
    table = pd.DataFrame({"a": np.random.default_rng(0).normal(size=500)})
    storage.write_table("one.parquet", table)
    storage.write_table("two.parquet", table.copy())
    assert storage.read_bytes("one.parquet") == storage.read_bytes("two.parquet")


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("performance.json", "evaluate_performance"),
        ("manifest.parquet", "ingest_images"),
        ("predictions.parquet", "predict_labels"),
        ("inputs/000000.npy", "ingest_images"),
        ("embeddings.npy", "predict_labels"),
    ],
)
def test_an_object_that_was_cut_short_is_named_with_the_step_that_writes_it(storage, name, task):
    whole, broken = f"cats/days/2026-03-01/{name}", f"cats/days/2026-03-02/{name}"
    write, read = {
        "json": (lambda: storage.write_json(whole, {"a": 1}), (storage.read_json,)),
        "npy": (
            lambda: storage.write_array(whole, np.arange(9)),
            (storage.read_array, lambda key: list(storage.iter_arrays([key], 1))),
        ),
        "parquet": (
            lambda: storage.write_table(whole, pd.DataFrame({"a": [1]})),
            (storage.read_table, storage.read_arrow),
        ),
    }[name.rpartition(".")[2]]
    write()
    data = storage.read_bytes(whole)
    for cut in (b"", data[: len(data) // 2], data[:-3], b"<html>Slow down</html>"):
        storage.write_bytes(broken, cut)
        for reading in read:
            with pytest.raises(DamagedArtifact, match=rf"{broken} is no whole .*clear {task} of 2026-03-02"):
                reading(broken)


def test_a_broken_object_outside_the_days_says_what_else_to_do(storage):
    for key, said in {
        "cats/models/champion.json": "driftwatch champion import",
        "cats/models/v0001-aa/card.json": "driftwatch champion rollback",
        "cats/training/set.json": "training set in again",
        "cats/days/2026-03-01/published.json": "Restore it from a backup$",
    }.items():
        storage.write_bytes(key, b"{")
        with pytest.raises(DamagedArtifact, match=said):
            storage.read_json(key)
