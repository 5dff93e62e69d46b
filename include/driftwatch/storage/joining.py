"""Tables that are joined by a column without being held: what does not come in the same order waits on the local disk, in parts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO

import numpy as np
import pyarrow as pa

# Of 100 million rows a part has 1.6 million.
_PARTS = 64


def joined(left: Iterable[pa.Table], right: Iterable[pa.Table], on: str) -> Iterator[pa.Table]:
    """The rows of `left`, each with the columns of the row of `right` that has the same value in the column `on`, or with nulls.

    Both are pieces of a table, and have a value of `on` at most once. As far as both have the same values in the same order, rows pass through; the
    others are kept on the local disk, in temporary files, and come in any order. So memory does not grow with the tables.
    """
    ours, theirs = _Buffer(left), _Buffer(right)
    while (rows := min(ours.there(), theirs.there())) and ours.head(rows)[on].equals(theirs.head(rows)[on]):
        one, other = ours.take(rows), theirs.take(rows).drop_columns([on])
        yield pa.table([*one.columns, *other.columns], [*one.column_names, *other.column_names])
    if not ours.there():
        return
    with Parts(on) as kept, Parts(on) as others:
        others.add_all(theirs)
        kept.add_all(ours)
        nothing = theirs.schema.empty_table() if theirs.schema is not None else None
        for number in range(_PARTS):
            part, other = kept.part(number), others.part(number)
            if part is not None:
                yield _with(part, nothing if other is None else other, on)


def _with(left: pa.Table, right: pa.Table | None, on: str) -> pa.Table:
    return left if right is None else left.join(right, keys=on, join_type="left outer")


class Parts:
    """Rows that come in any order, kept in temporary files by a hash of the column `on`, which the system removes when the process ends. Rows
    with the same value are in the same part, and rows of a part stay in order."""

    def __init__(self, on: str) -> None:
        self._on = on
        self._open = ExitStack()
        self._files: dict[int, tuple[IO[bytes], pa.RecordBatchStreamWriter]] = {}

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add_all(self, tables: Iterable[pa.Table]) -> None:
        for table in tables:
            self.add(table)

    def add(self, table: pa.Table) -> None:
        number = part_of(table[self._on])
        order = np.argsort(number, kind="stable")
        ends = np.searchsorted(number[order], np.arange(_PARTS + 1))
        ordered = table.take(pa.array(order))
        for place in range(_PARTS):
            if ends[place] < ends[place + 1]:
                self._writer(place, table.schema).write_table(
                    ordered.slice(ends[place], ends[place + 1] - ends[place]).combine_chunks()
                )

    def _writer(self, place: int, schema: pa.Schema) -> pa.RecordBatchStreamWriter:
        if place not in self._files:
            file = self._open.enter_context(_temporary_file())
            self._files[place] = file, pa.ipc.new_stream(file, schema)
        return self._files[place][1]

    def part(self, number: int) -> pa.Table | None:
        """The rows of the part, after all were added; None where it has none."""
        if number not in self._files:
            return None
        file, writer = self._files.pop(number)
        writer.close()
        file.seek(0)
        found = pa.ipc.open_stream(file).read_all()
        file.close()
        return found


def _temporary_file() -> IO[bytes]:
    return tempfile.TemporaryFile(prefix="driftwatch-")


def part_of(values: pa.ChunkedArray) -> np.ndarray:
    """The part of each text, [n]."""
    import pandas as pd

    hashes = pd.util.hash_array(values.to_numpy().astype(object), categorize=False)
    return (hashes % _PARTS).astype("int64")


class _Buffer:
    """Pieces of a table, given out in other pieces, in the same order."""

    def __init__(self, pieces: Iterable[pa.Table]) -> None:
        self._pieces = iter(pieces)
        self._piece: pa.Table | None = None
        self.schema: pa.Schema | None = None

    def there(self) -> int:
        """How many rows can be had at once; 0 at the end."""
        while self._piece is None or not len(self._piece):
            self._piece = next(self._pieces, None)
            if self._piece is None:
                return 0
            self.schema = self._piece.schema
        return len(self._piece)

    def head(self, rows: int) -> pa.Table:
        assert self._piece is not None
        return self._piece.slice(0, rows)

    def take(self, rows: int) -> pa.Table:
        found = self.head(rows)
        assert self._piece is not None
        self._piece = self._piece.slice(rows)
        return found

    def __iter__(self) -> Iterator[pa.Table]:
        while rows := self.there():
            yield self.take(rows)
