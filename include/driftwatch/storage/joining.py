"""Tables that are joined by a column without being held: what does not come in the same order waits on the local disk, in parts."""

from __future__ import annotations

import io
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pyarrow as pa

from driftwatch.storage.local_disk import keeping
from driftwatch.storage.tables import ROWS

# Of 100 million rows a part has 800,000.
_PARTS = 128
_THERE = "driftwatch.there"  # no table's own column


def joined(left: Iterable[pa.Table], right: Iterable[pa.Table], on: str) -> Iterator[pa.Table]:
    """The rows of `left`, each with the columns of the row of `right` that has the same value in the column `on`, or with nulls.

    Both are pieces of a table, and have a value of `on` at most once. Rows pass through as long as both have the same values in the same
    order. The others are kept in temporary files on the local disk, and come in any order. So memory does not grow with the tables.
    """
    ours, theirs = Buffer(left), Buffer(right)
    while (rows := min(ours.there(), theirs.there())) and ours.head(rows)[on].equals(theirs.head(rows)[on]):
        one, other = ours.take(rows), theirs.take(rows).drop_columns([on])
        yield pa.table([*one.columns, *other.columns], [*one.column_names, *other.column_names])
    if ours.there():
        yield from looked_up(ours, theirs, on, theirs.schema)


def without(left: Iterable[pa.Table], right: Iterable[pa.Table], on: str) -> Iterator[pa.Table]:
    """The rows of `left` whose value of `on` no row of `right` has. As `joined` otherwise."""
    marked = (pa.table({on: piece[on], _THERE: pa.repeat(True, len(piece))}) for piece in right)
    for piece in joined(left, marked, on):
        yield piece.filter(piece[_THERE].is_null()).drop_columns([_THERE]) if _THERE in piece.column_names else piece


def looked_up(
    left: Iterable[pa.Table], right: Iterable[pa.Table], on: str, schema: pa.Schema | None = None
) -> Iterator[pa.Table]:
    """As `joined`, but `left` may have a value of `on` more than once, and all rows go through temporary files. `schema`: that of `right`, if it
    is known. Without it a `right` without a piece adds no column."""
    with Parts(_PARTS) as kept:
        for table in left:
            kept.add(table, part_of(table[on], _PARTS))
        yield from joined_parts(kept, right, on, schema=schema)


def joined_parts(
    kept: Parts,
    right: Iterable[pa.Table],
    on: str,
    unique: Callable[[pa.Table], pa.Table] = lambda table: table,
    schema: pa.Schema | None = None,
) -> Iterator[pa.Table]:
    """The same, of rows that were `kept` by `part_of` their values. `unique` makes a part of `right` have each value once."""
    if not kept.rows:
        return
    with Parts(kept.count) as others:
        for table in right:
            others.add(table, part_of(table[on], kept.count))
            schema = table.schema
        for number in range(kept.count):
            part, other = kept.part(number), others.part(number)
            if part is None:
                continue
            if other is None and schema is not None:
                other = schema.empty_table()
            yield part if other is None else part.join(unique(other), keys=on, join_type="left outer")


class Parts:
    """Rows that come in any order, kept in `count` parts of one temporary file. Rows of a part stay in order. The system removes the file when the
    process ends."""

    def __init__(self, count: int) -> None:
        self.count, self.rows = count, 0
        self._file = tempfile.TemporaryFile(prefix="driftwatch-")  # noqa: SIM115
        self._schema: pa.Schema | None = None
        # Where the batches of each part begin and end in the file, one after the other.
        self._spans = [array("Q") for _ in range(count)]

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):  # what the disk did not take was told, and nothing of the file is wanted any more
            self._file.close()

    def add(self, table: pa.Table, numbers: np.ndarray) -> None:
        """`numbers`: the part of each row, from 0."""
        self.rows += len(table)
        self._schema = table.schema
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(numbers[order], np.arange(self.count + 1))
        batch = pa.RecordBatch.from_struct_array(table.take(pa.array(order)).to_struct_array().combine_chunks())
        for place, (start, stop) in enumerate(pairwise(ends.tolist())):
            for first in range(start, stop, ROWS):
                with keeping("the rows of a large day"):
                    begin = self._file.seek(0, io.SEEK_END)
                    self._file.write(batch.slice(first, min(ROWS, stop - first)).serialize())
                    self._file.flush()
                self._spans[place].extend((begin, self._file.tell()))

    def part(self, number: int) -> pa.Table | None:
        """The rows of the part; None where it has none."""
        pieces = [*self.pieces(number)]
        return pa.concat_tables(pieces) if pieces else None

    def pieces(self, number: int) -> Iterator[pa.Table]:
        """The same, as they were added."""
        spans = self._spans[number]
        for begin, end in zip(spans[::2], spans[1::2], strict=True):
            self._file.seek(begin)
            batch = pa.ipc.read_record_batch(pa.py_buffer(self._file.read(end - begin)), self._schema)
            yield pa.Table.from_batches([batch])


def part_of(values: pa.ChunkedArray, count: int) -> np.ndarray:
    """One of `count` parts for each text, [n], by its hash."""
    import pandas as pd

    hashes = pd.util.hash_array(values.to_numpy().astype(object), categorize=False)
    return (hashes % count).astype("int64")


class Buffer:
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

    def exactly(self, rows: int) -> Iterator[pa.Table]:
        """The next `rows` rows, or as many as there are."""
        while rows and (there := min(rows, self.there())):
            yield self.take(there)
            rows -= there

    def __iter__(self) -> Iterator[pa.Table]:
        while rows := self.there():
            yield self.take(rows)
