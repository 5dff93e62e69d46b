"""Parquet tables written and read piece by piece, so that their length is not limited by memory; and how many rows one has."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from driftwatch.storage.base import Storage
    from driftwatch.storage.reading import Reading

ROWS = 16_384  # in each row group but the last
# So much of a table's end is fetched at first: of nearly every table the footer, which says how many rows it has.
_FOOTER_BYTES = 65_536


class TableWriter:
    """Collects pieces into row groups of ROWS rows: the same rows give the same bytes, however they were cut."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self.rows = 0

    def add(self, piece: pa.Table) -> None:
        if not len(piece):
            return
        self._waiting.append(piece)
        self._waiting_rows += len(piece)
        self.rows += len(piece)
        while self._waiting_rows >= ROWS:
            whole = pa.concat_tables(self._waiting)
            self._writer.write_table(whole.slice(0, ROWS))
            self._waiting = [whole.slice(ROWS)]
            self._waiting_rows -= ROWS

    def finish(self) -> None:
        if self._waiting_rows:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self.close()

    def close(self) -> None:
        self._writer.close()


@contextmanager
def writing_table(storage: Storage, key: str, schema: pa.Schema) -> Iterator[TableWriter]:
    """A table that replaces `key` whole when the block ends without an error."""
    with storage.writing(key) as file:
        writer = TableWriter(pq.ParquetWriter(file, schema, compression="zstd"))
        try:
            yield writer
        except BaseException:
            # Closed while the file is open: garbage collection would make the writer write its end into a closed file.
            writer.close()
            raise
        writer.finish()


def rows_of(storage: Storage, key: str, size: int | None = None) -> int:
    """How many rows the table has. `size`: its bytes, where they are known. Only its footer is read. Raises as `open_table`."""
    with open_table(storage, key, size) as table:
        return table.rows


def shape_of(storage: Storage, key: str) -> tuple[int, tuple[str, ...]]:
    """How many rows the table has, and the names of its columns. As `rows_of`."""
    with open_table(storage, key) as table:
        return table.rows, table.names


def pieces(
    storage: Storage, key: str, columns: Sequence[str] | None = None, start: int = 0, stop: int | None = None
) -> Iterator[pa.Table]:
    """The table's rows from `start` to before `stop`, in order, with all columns or those named: at most a row group at a time.

    Only what is needed of the file is fetched, so memory does not grow with the table. A table without rows gives one piece without rows.
    Raises as `open_table`.
    """
    with open_table(storage, key) as table:
        yield from table.pieces(columns, start, stop)


def places_of(storage: Storage, key: str, ids: Sequence[str]) -> np.ndarray:
    """The row of each of `ids` by the table's column `image_id`: [n]; -1 for one that it does not have. As `pieces`."""
    names, back = np.unique(np.array(ids, dtype=str), return_inverse=True)
    wanted, start = pa.array(names, pa.string()), 0
    found = np.full(len(wanted), -1)
    for piece in pieces(storage, key, ["image_id"]):
        column = piece["image_id"].cast(pa.string())  # without a row it has no type
        which = pc.index_in(column.combine_chunks(), value_set=wanted)
        found[which.drop_null().to_numpy()] = start + np.flatnonzero(which.is_valid().to_numpy(zero_copy_only=False))
        start += len(piece)
    return found[back]


class StoredTable:
    """A table of which only the parts that are asked for are fetched (`open_table`). `rows`: how many it has; `names`: of its columns."""

    def __init__(self, storage: Storage, key: str, found: Reading) -> None:
        self._storage, self._key = storage, key
        ranges = _Ranges(found)
        self._file = storage.parsed(key, "parquet table", lambda: pq.ParquetFile(ranges, pre_buffer=storage.remote))
        self.rows = int(self._file.metadata.num_rows)
        self.names = tuple(self._file.schema_arrow.names)

    def pieces(
        self, columns: Sequence[str] | None = None, start: int = 0, stop: int | None = None
    ) -> Iterator[pa.Table]:
        """As the function `pieces`; as often as wanted."""
        first = 0
        if not self.rows:
            yield self._storage.parsed(self._key, "parquet table", lambda: self._file.read_row_groups([], columns))
            return
        for number in range(self._file.num_row_groups):
            rows = self._file.metadata.row_group(number).num_rows
            low, high = max(start - first, 0), rows if stop is None else min(stop - first, rows)
            first += rows
            if low < high:
                yield self._group(number, columns).slice(low, high - low)

    def _group(self, number: int, columns: Sequence[str] | None) -> pa.Table:
        return self._storage.parsed(self._key, "parquet table", lambda: self._file.read_row_group(number, columns))


@contextmanager
def open_table(storage: Storage, key: str, size: int | None = None) -> Iterator[StoredTable]:
    """A table to read several parts of. All parts are of one table, also where another replaces it meanwhile. `size`: its bytes, where they
    are known.

    Raises MissingArtifact and DamagedArtifact, and ReplacedMeanwhile where the table that was opened can no longer be read.
    """
    with storage.reading(key, size) as found:
        yield StoredTable(storage, key, found)


class _Ranges(io.RawIOBase):
    """A stored object as a file, of which only the parts that are asked for are fetched."""

    def __init__(self, found: Reading) -> None:
        self._found, self._size, self._at = found, found.size(), 0
        self._from = max(0, self._size - _FOOTER_BYTES)
        self._end = found.range(self._from, self._size)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, count: int = -1) -> bytes:
        start, stop = self._at, self._size if count < 0 else min(self._at + count, self._size)
        self._at = stop
        if start >= self._from:
            return self._end[start - self._from : stop - self._from]
        return self._found.range(start, stop)
