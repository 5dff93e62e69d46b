"""How datasets are named, and which of a storage's objects are there."""

from __future__ import annotations

import pandas as pd
import pytest

from driftwatch.errors import DamagedArtifact
from driftwatch.lineage.datasets import folder, objects, place_of
from driftwatch.storage import open_storage


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("file:///srv/data/m/days", ("file", "/srv/data/m/days")),
        ("s3://bucket/prefix/m/a.json", ("s3://bucket", "prefix/m/a.json")),
        ("gs://bucket/a", ("gs://bucket", "a")),
    ],
)
def test_an_address_is_named_as_openlineage_names_it(address, place):
    assert place_of(address) == place


def test_only_objects_that_are_there_are_told_and_tables_with_their_rows(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_table("m/a.parquet", pd.DataFrame({"n": range(7)}))
    storage.write_json("m/b.json", {})
    table, other = objects(storage, "m/a.parquet", "m/b.json", "m/missing.json")
    assert (table.name, table.rows, table.bytes) == (f"{tmp_path}/m/a.parquet", 7, storage.size("m/a.parquet"))
    assert (other.rows, other.bytes) == (None, 3)
    assert folder(storage, "m/inputs", rows=3).name == f"{tmp_path}/m/inputs"


def test_a_damaged_table_is_named(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_bytes("m/a.parquet", b"PAR1 cut off")
    with pytest.raises(DamagedArtifact, match=r"m/a\.parquet"):
        objects(storage, "m/a.parquet")
