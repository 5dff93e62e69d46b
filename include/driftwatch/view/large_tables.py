"""The tables of large days. A page reads only the columns and rows that it shows: a day may have millions of images, and the api-server holds the
pages of many days."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driftwatch.storage.tables import pieces, shape_of

if TYPE_CHECKING:
    from driftwatch.storage import Storage

LARGE = 50_000  # rows; a table with more is not held whole
_KEPT_BYTES = 32_000_000  # of a table of an object store, so that each picture does not fetch it again
ID = "image_id"


@dataclass(frozen=True)
class Large:
    """A stored table of more than LARGE rows. `columns`: their names. `data`: the table's bytes, if they are kept. Otherwise only the columns that
    are asked for are fetched, a row group at a time."""

    storage: Storage
    key: str
    rows: int
    columns: tuple[str, ...]
    data: bytes | None

    def read(self, columns: Collection[str], wanted: pc.Expression | None = None) -> pd.DataFrame:
        """The rows for which `wanted` is true, by default all, with those of `columns` that there are. Of very many
        rows ids stay Arrow's and other texts are categories: as Python's own they would take most of the memory."""
        source = self.storage.local_path(self.key)
        data = self.data if source is None else None
        names = [name for name in self.columns if name in columns]

        def parse() -> pa.Table:
            at = source or pa.BufferReader(data)
            return pq.read_table(at, columns=names, filters=wanted, use_threads=False, pre_buffer=False)

        if source is None and data is None:
            table = self._by_pieces(names, wanted)
        else:
            table = self.storage.parsed(self.key, "parquet table", parse)
        if len(table) <= LARGE:
            found = table.to_pandas()
        else:
            texts = [field.name for field in table.schema if field.name != ID and pa.types.is_string(field.type)]
            found = table.to_pandas(categories=texts, types_mapper={pa.string(): pd.ArrowDtype(pa.string())}.get)
        del table
        pa.default_memory_pool().release_unused()
        return found

    def _by_pieces(self, names: Sequence[str], wanted: pc.Expression | None) -> pa.Table:
        fetched = names if wanted is None or ID in names else [*names, ID]
        parts = pieces(self.storage, self.key, fetched)
        return pa.concat_tables([(part if wanted is None else part.filter(wanted)).select(names) for part in parts])


def read_table(storage: Storage, key: str) -> pd.DataFrame | Large:
    """A whole table, to be kept in a page's cache; a large one is not read yet."""
    path = storage.local_path(key)
    if path is None and (storage.size(key) or 0) > _KEPT_BYTES:
        rows, columns = shape_of(storage, key)
        if rows > LARGE:
            return Large(storage, key, rows, columns, None)
    data = None if path is not None and path.exists() else storage.read_bytes(key)

    def source() -> io.BytesIO | str:
        return str(path) if data is None else io.BytesIO(data)

    file = storage.parsed(key, "parquet table", lambda: pq.ParquetFile(source()))
    if file.metadata.num_rows > LARGE:
        kept = data if data is not None and len(data) <= _KEPT_BYTES else None
        return Large(storage, key, file.metadata.num_rows, tuple(file.schema_arrow.names), kept)
    return storage.parsed(key, "parquet table", lambda: pd.read_parquet(source()))


def read_whole(storage: Storage, key: str) -> pd.DataFrame:
    """A whole table, however large."""
    return storage.read_table(key)


def reading_sample(images: int | None) -> Callable[[Storage, str], pd.DataFrame]:
    """Reads a day's table: whole, or of a large table the rows of about LARGE images. `images`: how many the day has, by default as many as the table
    has rows.

    An id is a hash, so ids below a limit are a random sample. The day's other tables, read so, have the same images, and so has the sample that
    the day is judged by.
    """

    def read(storage: Storage, key: str) -> pd.DataFrame:
        found = read_table(storage, key)
        if isinstance(found, pd.DataFrame):
            return found
        below = min(LARGE / (images or found.rows), 1) * 16**8
        return found.read(found.columns, None if below == 16**8 else pc.field(ID) < f"{int(below):08x}")

    return read


def rows_of(found: pd.DataFrame | Large, columns: Collection[str], ids: Collection[str] | None = None) -> pd.DataFrame:
    """The rows of the images `ids`, by default all, with those of `columns` that there are."""
    if isinstance(found, Large):
        return found.read(columns, None if ids is None else pc.field(ID).isin(pa.array([*ids], pa.string())))
    found = found if ids is None else found[found[ID].isin(ids)]
    return found[[name for name in found.columns if name in columns]]
