"""An object that is replaced while its parts are read gives parts of one object or an error, on every kind of storage (conftest.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np
import pyarrow as pa
import pytest

from driftwatch.errors import DamagedArtifact, MissingArtifact, ReplacedMeanwhile
from driftwatch.storage import Storage, tables
from driftwatch.storage.arrays import open_array, row_pieces
from driftwatch.storage.tables import open_table, pieces, rows_of, writing_table

SCHEMA = pa.schema([("n", pa.int64())])


def write_table(storage: Storage, rows: int, number: int) -> None:
    with writing_table(storage, "m/a", SCHEMA) as table:
        table.add(pa.table({"n": [number] * rows}, SCHEMA))


def write_array(storage: Storage, rows: int, number: int) -> None:
    storage.write_array("m/a", np.full((rows, 3), number, "int64"))


def table_pieces(storage: Storage) -> Iterator[list[int]]:
    return (piece["n"].to_pylist() for piece in pieces(storage, "m/a"))


def array_pieces(storage: Storage) -> Iterator[list[int]]:
    return (piece[:, 0].tolist() for piece in row_pieces(storage, "m/a", 10))


Write = Callable[[Storage, int, int], None]
Pieces = Callable[[Storage], Iterator[list[int]]]
BOTH = pytest.mark.parametrize(
    ("write", "read"), [(write_table, table_pieces), (write_array, array_pieces)], ids=["table", "array"]
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS", 10)
    monkeypatch.setattr(tables, "_FOOTER_BYTES", 16)


@BOTH
@pytest.mark.parametrize("rows", [25, 26, 5], ids=["as long", "longer", "shorter"])
def test_rows_of_two_objects_are_never_mixed(storage, write: Write, read: Pieces, rows: int):
    write(storage, 25, 1)
    found = read(storage)
    got = next(found)
    write(storage, rows, 2)
    if storage.remote:
        with pytest.raises(ReplacedMeanwhile, match=rf"{storage.uri}/m/a was replaced while it was read: run the task"):
            list(found)
    else:
        assert [*got, *chain(*found)] == [1] * 25
    assert [*chain(*read(storage))] == [2] * rows


@BOTH
def test_an_object_that_is_removed_while_it_is_read_is_whole_or_missing(storage, write: Write, read: Pieces):
    write(storage, 25, 1)
    found = read(storage)
    got = next(found)
    storage.delete("m/a")
    if storage.remote:
        with pytest.raises((MissingArtifact, ReplacedMeanwhile), match="m/a"):  # Azure says that it is not the same
            list(found)
    else:
        assert [*got, *chain(*found)] == [1] * 25


def test_several_readings_of_one_opening_are_of_one_object(storage):
    write_table(storage, 25, 1)
    with open_table(storage, "m/a") as table:
        assert (table.rows, table.names) == (25, ("n",))
        assert sum(piece["n"].to_pylist().count(1) for piece in table.pieces(start=3, stop=14)) == 11
        assert sum(map(len, table.pieces())) == 25
    write_array(storage, 25, 1)
    with open_array(storage, "m/a") as array:
        assert array.shape == (25, 3)
        assert array.rows(24, 25).tolist() == [[1, 1, 1]]
        assert sum(map(len, array.pieces(4))) == sum(map(len, array.pieces())) == 25
        with pytest.raises(DamagedArtifact, match="m/a"):
            array.rows(25, 26)


def test_a_table_that_was_replaced_since_it_was_listed_is_no_damage(storage):
    write_table(storage, 25, 1)
    size = storage.size("m/a")
    assert rows_of(storage, "m/a", size) == 25
    write_table(storage, 2500, 2)
    with pytest.raises(ReplacedMeanwhile, match="m/a was replaced"):
        rows_of(storage, "m/a", size)


def test_an_object_without_bytes_is_damaged(storage):
    storage.write_bytes("m/a", b"")
    for read in (table_pieces, array_pieces):
        with pytest.raises(DamagedArtifact, match="m/a"):
            next(read(storage))


@BOTH
def test_a_server_that_does_not_know_the_condition_gives_no_mixture(s3_storage, s3, write: Write, read: Pieces):
    write(s3_storage, 25, 1)
    found = read(s3_storage)
    next(found)
    write(s3_storage, 25, 2)
    s3.plan("ignored")
    with pytest.raises(ReplacedMeanwhile):
        list(found)


def test_no_part_costs_a_request_more(s3_storage, s3):
    write_array(s3_storage, 25, 1)
    s3.asked.clear()
    assert len(list(array_pieces(s3_storage))) == 3
    assert [asked.split()[0] for asked in s3.asked] == ["GET"] * 4
    write_table(s3_storage, 25, 1)
    size = s3_storage.size("m/a")
    s3.asked.clear()
    rows_of(s3_storage, "m/a", size)
    assert {asked.split()[0] for asked in s3.asked} == {"GET"}
