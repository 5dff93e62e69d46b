"""Reads a table that lies beside the images: CSV, Parquet or JSON Lines. One that may be half written is not read yet."""

from __future__ import annotations

import csv
import gzip
import io
import logging
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.errors import DriftwatchError, MissingArtifact, NeedsAttention
from driftwatch.storage.addresses import without_scheme
from driftwatch.storage.foreign_files import to_key

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

# Of a table of one day that is missing.
LATER = ". Where it is written later than the day's run starts, raise images.wait_hours"
# A table that is written to for longer is left to the task's next try.
_WAITS = 5


class StillWritten(DriftwatchError):
    """Somebody may still write to the file: what is there may be half of it."""


class MissingTable(NeedsAttention):
    """The file is not there, or was opened and nothing is in it yet."""


class MissingColumns(NeedsAttention):
    """The file lacks columns."""


@dataclass(frozen=True)
class TableFile:
    """`key`: where the file lies. `columns`: those that are needed, the images' names first. `field`: the setting that names it, for messages."""

    key: str
    columns: tuple[str, ...]
    field: str


def seconds_until_settled(storage: Storage, key: str, settle_seconds: float) -> float:
    """For how long somebody may still write to the file: `settle_seconds` from when it was last written to. 0 where there is no file, for an object
    of an object store, which is whole from the start, and for a file of the far future: another clock wrote its time, which never comes."""
    age = _age(storage, key)
    if age is None or not -settle_seconds < age < settle_seconds:
        return 0.0
    return min(settle_seconds, settle_seconds - age)  # a clock that is a little ahead makes it younger than it can be


def _age(storage: Storage, key: str) -> float | None:
    """Seconds since the file was last written to, by this machine's clock."""
    written = storage.modified(key)
    return None if written is None else time.time() - written


@contextmanager
def settled(storage: Storage, key: str, settle_seconds: float | None) -> Iterator[None]:
    """For reading the file. Waits before that until nobody has written to it for `settle_seconds`. Raises StillWritten where it is written to again
    and again, and where it was written to while it was read, whatever the reader made of it.

    `settle_seconds` None: a table of all days, which may be added to at any time. It is not waited for, and what was read of it counts, unless the
    reader found a fault.
    """
    before = storage.stamp(key)  # first: what is written after that look is seen
    for _ in range(_WAITS):
        pause = seconds_until_settled(storage, key, settle_seconds or 0)
        if not pause:
            break
        logger.info("%s may still be written to (images.settle_seconds): reading it in %.0f s", storage.url(key), pause)
        time.sleep(pause)
        before = storage.stamp(key)
    else:
        raise _still_written(storage, key)
    with unchanged(storage, key, before, faults_alone=settle_seconds is None):
        yield


@contextmanager
def unchanged(storage: Storage, key: str, before: str | None, faults_alone: bool = False) -> Iterator[None]:
    """For reading the file. Raises StillWritten where it was written to since its stamp was `before`. `faults_alone`: only in place of an error."""
    try:
        yield
    except Exception as error:  # not what ends the task
        if storage.stamp(key) != before:
            raise _still_written(storage, key) from error
        raise
    if not faults_alone and storage.stamp(key) != before:
        raise _still_written(storage, key)


def _still_written(storage: Storage, key: str) -> StillWritten:
    return StillWritten(
        f"{storage.url(key)} is still being written: run the task again when it is whole. A file that is written aside and then renamed is never half there"
    )


def read_table_file(storage: Storage, file: TableFile, then: str = "") -> pd.DataFrame:
    """The table, texts as they stand. `then`: what to do once the file is corrected. Raises MissingTable, MissingColumns, and NeedsAttention for a
    file that cannot be read."""
    url = storage.url(file.key)
    try:
        data = storage.read_bytes(file.key)
    except MissingArtifact:
        raise MissingTable(
            f"{url} is not there, and {file.field} names it: write it{then}, or correct the path"
        ) from None
    if not data:
        raise MissingTable(
            f"{url} has 0 bytes, and {file.field} names it: write it{then}. A table without a row has its columns"
        )
    table = _parsed(url, file, data, then)
    absent = [column for column in file.columns if column not in table.columns]
    if absent:
        raise MissingColumns(
            f"{url} has no column {' and no column '.join(map(repr, absent))}; it has {[*map(str, table.columns)][:20]}. "
            f"Correct the columns of {file.field}"
        )
    return table


def _parsed(url: str, file: TableFile, data: bytes, then: str) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = file.key.lower().removesuffix(".gz")
    try:
        raw = io.BytesIO(gzip.decompress(data) if file.key.lower().endswith(".gz") else data)
        if name.endswith(".parquet"):
            return pq.read_table(raw).to_pandas(integer_object_nulls=True)
        if name.endswith((".csv", ".tsv")):
            separator = "\t" if name.endswith(".tsv") else ","
            _refuse_open_quotes(raw.getvalue().decode("utf-8-sig"), separator, file.columns[0])
            # Text as it stands: NA is a country.
            return pd.read_csv(raw, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        return pd.read_json(raw, lines=True, dtype=False, convert_dates=False, encoding="utf-8-sig")
    except (ValueError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise NeedsAttention(
            f"{url} cannot be read ({error}): write it again, as UTF-8 with a header where it is CSV{then}"
        ) from error


def _refuse_open_quotes(text: str, separator: str, key: str) -> None:
    """Raises ValueError with the row. pandas takes all up to the next quote for one name, and the rows in between are lost."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        header = next(rows, [])
        place = header.index(key) if key in header else len(header)
        for number, row in enumerate(rows, 1):
            if any(end in name for name in row[place : place + 1] for end in "\r\n"):
                raise ValueError(f"row {number} has a line end in the name {row[place]!r:.80}: a quote is open")
    except csv.Error as error:
        raise ValueError(f"row {number + 1} has a quote that is not closed, or one within a field: {error}") from error


def path_in_table(root: str, value: object) -> str:
    """The path below the `root` of images (a stored key) that a table's field names. The field has that path, or a whole address: with `://`, or `/`
    at its beginning. It is taken as it stands, with its spaces, and made a key as a name in a listing is."""
    text, folder = to_key(value if isinstance(value, str) else text_of(value)), without_scheme(root)
    if not folder or not (text.startswith("/") or "://" in text):
        return text
    return text.partition(f"/{folder}/")[2] or text


def text_of(value: object) -> str:
    """A field as text, without spaces around it; an empty field is empty. 3.0 is 3: a table with gaps makes floats of whole numbers. Not for paths,
    which may have such spaces: see `path_in_table`."""
    if value is None or value != value:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
