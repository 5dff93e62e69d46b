"""Parquet tables written piece by piece, so that their length is not limited by memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from driftwatch.storage.base import Storage

ROWS = 16_384  # in each row group but the last


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
