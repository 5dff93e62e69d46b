"""Tables that are written piece by piece, on every kind of storage (conftest.py)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftwatch.errors import DamagedArtifact, MissingArtifact, StorageFailed, StorageRefused
from driftwatch.storage import tables
from driftwatch.storage.tables import batches_of, rows_of, writing_table

SCHEMA = pa.schema([("n", pa.int64()), ("name", pa.string())])


def rows(start: int, end: int) -> pa.Table:
    return pa.table({"n": range(start, end), "name": [f"row {n}" for n in range(start, end)]}, SCHEMA)


def written(storage, key: str, cuts: list[int]) -> bytes:
    with writing_table(storage, key, SCHEMA) as table:
        for start, end in zip([0, *cuts], [*cuts, 25], strict=True):
            table.add(rows(start, end))
        assert table.rows == 25
    return storage.read_bytes(key)


def test_the_same_rows_give_the_same_bytes_however_they_were_cut(storage, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 10)
    whole = written(storage, "m/whole.parquet", [])
    assert written(storage, "m/cut.parquet", [1, 2, 13, 13]) == whole
    assert storage.read_arrow("m/whole.parquet") == rows(0, 25)
    found = pq.ParquetFile(pa.BufferReader(whole)).metadata
    assert [found.row_group(group).num_rows for group in range(found.num_row_groups)] == [10, 10, 5]


def test_a_table_without_rows_has_its_columns(storage):
    with writing_table(storage, "m/empty.parquet", SCHEMA):
        pass
    assert storage.read_arrow("m/empty.parquet") == rows(0, 0)


def test_an_error_in_the_middle_leaves_the_old_table(storage):
    before = written(storage, "m/a.parquet", [])

    def fails() -> None:
        with writing_table(storage, "m/a.parquet", SCHEMA) as table:
            table.add(rows(0, 3))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert storage.read_bytes("m/a.parquet") == before
    assert [item.key for item in storage.list("m")] == ["m/a.parquet"]


@pytest.mark.parametrize("footer", [65_536, 16])
def test_the_rows_of_a_table_are_known_without_reading_it_whole(storage, monkeypatch, footer):
    monkeypatch.setattr(tables, "_FOOTER_BYTES", footer)  # with 16 bytes the footer has to be fetched in a second part
    written(storage, "m/a.parquet", [])
    monkeypatch.setattr(type(storage), "read_bytes", lambda *_: pytest.fail("the whole table is read"))
    size = storage.size("m/a.parquet")
    assert size
    assert rows_of(storage, "m/a.parquet", size) == 25


@pytest.mark.parametrize("footer", [65_536, 16])
def test_a_column_of_a_table_is_read_some_rows_at_a_time(storage, monkeypatch, footer):
    monkeypatch.setattr(tables, "_FOOTER_BYTES", footer)
    monkeypatch.setattr(tables, "ROWS", 10)
    written(storage, "m/a.parquet", [])
    monkeypatch.setattr(type(storage), "read_bytes", lambda *_: pytest.fail("the whole table is read"))
    batches = list(batches_of(storage, "m/a.parquet", ["name"]))
    assert [len(batch) for batch in batches] == [10, 10, 5]
    assert [batch.schema.names for batch in batches] == [["name"]] * 3
    assert [name for batch in batches for name in batch["name"].to_pylist()] == rows(0, 25)["name"].to_pylist()


def test_a_table_that_is_missing_or_damaged_is_told_so(storage):
    with pytest.raises(MissingArtifact, match=r"m/a\.parquet does not exist"):
        next(batches_of(storage, "m/a.parquet", ["name"]))
    storage.write_bytes("m/a.parquet", written(storage, "m/a.parquet", [])[:-40])
    with pytest.raises(DamagedArtifact, match="no whole parquet table"):
        next(batches_of(storage, "m/a.parquet", ["name"]))


@pytest.mark.parametrize(
    "error", [StorageFailed("does not answer"), StorageRefused("may not"), MissingArtifact("gone")]
)
def test_a_storage_that_fails_while_a_table_is_read_is_no_damaged_table(s3_storage, monkeypatch, error):
    """Who gets a damaged artifact restores it from a backup."""
    monkeypatch.setattr(tables, "_FOOTER_BYTES", 16)
    written(s3_storage, "m/a.parquet", [])
    size, plain, asked = s3_storage.size("m/a.parquet"), type(s3_storage).read_range, iter(range(100))

    def fails(storage, key, start, end):
        if next(asked):
            raise error
        return plain(storage, key, start, end)

    monkeypatch.setattr(type(s3_storage), "read_range", fails)
    with pytest.raises(type(error)):
        rows_of(s3_storage, "m/a.parquet", size)
    asked = iter(range(100))
    with pytest.raises(type(error)):
        list(batches_of(s3_storage, "m/a.parquet", ["name"]))
