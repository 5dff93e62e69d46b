"""Tables that are written piece by piece, on every kind of storage (conftest.py)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftwatch.storage import tables
from driftwatch.storage.tables import rows_of, writing_table

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
