"""Tables that are written piece by piece, on every kind of storage (conftest.py)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftwatch.errors import DamagedArtifact, MissingArtifact, StorageFailed
from driftwatch.storage import tables
from driftwatch.storage.reading import Reading
from driftwatch.storage.tables import pieces, places_of, rows_of, writing_table

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


@pytest.mark.parametrize(("start", "stop"), [(0, None), (0, 25), (3, 9), (9, 11), (10, 20), (24, 25), (7, 7), (20, 99)])
def test_pieces_are_the_rows_that_are_asked_for_of_one_row_group_each(storage, monkeypatch, start, stop):
    monkeypatch.setattr(tables, "ROWS", 10)
    monkeypatch.setattr(tables, "_FOOTER_BYTES", 16)
    written(storage, "m/a.parquet", [])
    monkeypatch.setattr(type(storage), "read_bytes", lambda *_: pytest.fail("the whole table is read"))
    found = list(pieces(storage, "m/a.parquet", start=start, stop=stop))
    assert all(0 < len(piece) <= 10 for piece in found)
    wanted = rows(0, 25).slice(start, (25 if stop is None else stop) - start)
    assert pa.concat_tables([rows(0, 0), *found]) == wanted
    names = list(pieces(storage, "m/a.parquet", ["name"], start, stop))
    assert pa.concat_tables([rows(0, 0).select(["name"]), *names]) == wanted.select(["name"])


def test_pieces_fetch_the_row_groups_that_are_needed_and_no_others(storage, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 2_000)
    monkeypatch.setattr(tables, "_FOOTER_BYTES", 16_384)
    rng = np.random.default_rng(0)
    with writing_table(storage, "m/a.parquet", SCHEMA) as table:
        for _ in range(20):
            noise = rng.integers(0, 2**60, 2_000)
            table.add(pa.table({"n": noise, "name": [rng.bytes(32).hex() for _ in noise]}, SCHEMA))
    fetched: list[int] = []
    read = Reading.range
    monkeypatch.setattr(
        Reading, "range", lambda self, start, end: (fetched.append(end - start), read(self, start, end))[1]
    )
    (piece,) = pieces(storage, "m/a.parquet", ["n"], 10_010, 10_020)
    assert len(piece) == 10
    assert sum(fetched) < storage.size("m/a.parquet") / 10


def test_a_storage_that_fails_in_the_middle_is_no_damage(storage, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 10)
    monkeypatch.setattr(tables, "_FOOTER_BYTES", 16)
    written(storage, "m/a.parquet", [])
    found = pieces(storage, "m/a.parquet")
    next(found)

    def fails(*_) -> bytes:
        raise StorageFailed("the storage does not answer")

    monkeypatch.setattr(Reading, "range", fails)
    with pytest.raises(StorageFailed):
        next(found)


def test_pieces_of_no_table_and_of_a_damaged_one_are_told(storage):
    with pytest.raises(MissingArtifact, match=r"m/a\.parquet"):
        next(pieces(storage, "m/a.parquet"))
    storage.write_bytes("m/a.parquet", b"no table")
    with pytest.raises(DamagedArtifact, match=r"m/a\.parquet"):
        next(pieces(storage, "m/a.parquet"))


def test_pieces_without_rows_are_not_kept(storage):
    """A camera that is stuck gives blocks of copies alone, and no row of features."""
    table = pa.table({"a": [1, 2, 3]})
    with writing_table(storage, "t.parquet", table.schema) as file:
        file.add(table)
        for _ in range(100):
            file.add(table.slice(0, 0))
        assert len(file._waiting) == 1
    assert storage.read_arrow("t.parquet").equals(table)


def test_a_table_without_rows_gives_one_piece_with_its_columns(storage):
    with writing_table(storage, "m/empty.parquet", SCHEMA):
        pass
    assert list(pieces(storage, "m/empty.parquet")) == [rows(0, 0)]
    (piece,) = pieces(storage, "m/empty.parquet", [SCHEMA.names[0], "no such column"])
    assert (piece.column_names, len(piece)) == ([SCHEMA.names[0]], 0)


@pytest.mark.parametrize("ids", [["b", "a", "z"], []])
def test_a_table_without_rows_has_no_image_and_neither_does_one_without_it(storage, ids):
    storage.write_table("some.parquet", pd.DataFrame({"image_id": ["a", "b"]}))
    storage.write_table("none.parquet", pd.DataFrame({"image_id": []}, dtype=object))
    assert places_of(storage, "some.parquet", ids).tolist() == [1, 0, -1][: len(ids)]
    assert places_of(storage, "none.parquet", ids).tolist() == [-1] * len(ids)
