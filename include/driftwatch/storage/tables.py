"""Parquet tables written piece by piece, so that their length is not limited by memory; and how many rows one has."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from driftwatch.storage.base import Storage

ROWS = 16_384  # in each row group but the last
# So much of a table's end is fetched at first: of nearly every table the footer, which says how many rows it has.
_FOOTER_BYTES = 65_536


class TableWriter:
    """Collects pieces into row groups of ROWS rows: the same rows give the same bytes, however they were cut."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._waiting: list[pa.Table] = []
        self.rows = 0

    def add(self, piece: pa.Table) -> None:
        self._waiting.append(piece)
        self.rows += len(piece)
        while sum(map(len, self._waiting)) >= ROWS:
            whole = pa.concat_tables(self._waiting)
            self._writer.write_table(whole.slice(0, ROWS))
            self._waiting = [whole.slice(ROWS)]

    def finish(self) -> None:
        if any(map(len, self._waiting)):
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


def rows_of(storage: Storage, key: str, size: int) -> int:
    """How many rows the table of `size` bytes has. Only its footer is read. Raises DamagedArtifact."""
    file = _Ranges(storage, key, size)
    return int(storage.parsed(key, "parquet table", lambda: pq.read_metadata(file)).num_rows)


def batches_of(storage: Storage, key: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The table's columns, some rows at a time: no more is in memory, and no other column is fetched. Raises MissingArtifact, DamagedArtifact."""
    size = storage.size(key)
    if size is None:
        storage.read_bytes(key)  # raises MissingArtifact
    assert size is not None
    source = storage.local_path(key) or _Ranges(storage, key, size)
    file = storage.parsed(key, "parquet table", lambda: pq.ParquetFile(source, pre_buffer=False))
    with file:
        batches = file.iter_batches(ROWS, columns=columns, use_threads=False)
        while (found := storage.parsed(key, "parquet table", lambda: next(batches, None))) is not None:
            yield found


class _Ranges(io.RawIOBase):
    """A stored object as a file, of which only the parts that are asked for are fetched."""

    def __init__(self, storage: Storage, key: str, size: int) -> None:
        self._storage, self._key, self._size, self._at = storage, key, size, 0
        self._from = max(0, size - _FOOTER_BYTES)
        self._end = storage.read_range(key, self._from, size)

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
        return self._storage.read_range(self._key, start, stop)
