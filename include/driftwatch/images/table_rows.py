"""The rows of a table about images: CSV, TSV, Parquet or JSON Lines, with .gz after it or not. They are read one by one from the local disk."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from driftwatch.errors import NeedsAttention
from driftwatch.images.table_file import LATER, MissingColumns, MissingTable
from driftwatch.storage.local_disk import keeping

if TYPE_CHECKING:
    from driftwatch.storage import Storage

THEN = ", then clear ingest_images"
_PART = 8_000_000  # bytes that are fetched at a time
# Letters of a CSV row. A quote that is not closed makes one row of all that follows, which is not to be held.
_ROW = 100_000
_NAMES = 20  # of the columns that are there, for messages


@dataclass(frozen=True)
class Columns:
    """`needed`: without them the file is refused, and `remedy` says what to do then. `also`: those that are read where they are there. `header`: the
    columns of a CSV file that does not name them. `key`: the needed one with the name. `sparse`: whether a row may lack fields that are needed: of
    CSV the last ones, but for the name; of JSON any, of which one row must have it. A file of 0 bytes is refused then."""

    key: str
    needed: tuple[str, ...]
    remedy: str
    also: tuple[str, ...] = ()
    header: tuple[str, ...] | None = None
    sparse: bool = False


class _Fault(Exception):
    """What is wrong with the row that is read, or, without `of_row`, with the whole file."""

    raised = NeedsAttention

    def __init__(self, said: str, of_row: bool = True) -> None:
        super().__init__(said)
        self.of_row = of_row


class _Empty(_Fault):
    """The file is there, and nothing is in it yet."""

    raised = MissingTable


class _Absent(_Fault):
    """Columns are missing."""

    raised = MissingColumns


def rows_of(
    storage: Storage, key: str, columns: Columns, named_by: str, then: str = THEN, later: str = LATER
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its place, for messages. `named_by`: what names the file. `then`: what to do once it is corrected. `later`: what to do where it is
    not there yet. Raises MissingTable where it is not there, or is empty as no table is, MissingColumns, NeedsAttention for one that cannot
    be read, and NoRoom where the local disk does not take a copy of it."""
    import pyarrow as pa

    url, end = storage.url(key), key.lower()
    kind = end.removesuffix(".gz").rpartition(".")[2]
    read = {"parquet": _parquet, "jsonl": _json, "ndjson": _json, "tsv": _tsv}.get(kind, _csv)
    number = 0
    with _local(storage, key, named_by, then, later) as path:
        if columns.sparse and not path.stat().st_size:
            raise MissingTable(
                f"{url} has 0 bytes, and {named_by} names it: write it{then}. A table without a row has its columns"
            )
        try:
            with gzip.open(path) if end.endswith(".gz") else path.open("rb") as file:
                for number, row in enumerate(read(cast(Any, file), columns), 1):
                    yield f"{url}, row {number},", row
        except _Fault as fault:
            place = f"{url}, row {number + 1}," if fault.of_row else url
            raise fault.raised(f"{place} {fault}{then}") from fault
        except (ValueError, OSError, EOFError, RecursionError, zlib.error, pa.ArrowException) as error:
            raise NeedsAttention(
                f"{url} cannot be read after row {number} ({error!s:.200}): write it again, as UTF-8 with a header where it is CSV{then}"
            ) from error


def _refuse_absent(there: Sequence[str], columns: Columns, of_row: bool = False) -> None:
    absent = [column for column in columns.needed if column not in there]
    if absent:
        raise _Absent(
            f"has no {' and no '.join(map(repr, absent))}; it has {[*map(str, there)][:_NAMES]!s:.1000}. {columns.remedy}",
            of_row,
        )
    twice = [column for column in columns.needed if there.count(column) > 1]
    if twice:
        raise _Fault(f"has the column {twice[0]!r} more than once: keep one", of_row)


class _Lines:
    """The lines of a text. Raises _Fault where those of one row have too many letters: set `letters` to 0 after each row."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self.letters = text, 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(_ROW + 1 - self.letters)
        self.letters += len(line)
        if self.letters > _ROW:
            raise _Fault(f"has more than {_ROW} letters: close the quote that is open, or make it shorter")
        if not line:
            raise StopIteration
        return line


def _tsv(file: IO[bytes], columns: Columns) -> Iterator[Mapping[str, Any]]:
    return _csv(file, columns, "\t")


def _csv(file: IO[bytes], columns: Columns, separator: str = ",") -> Iterator[Mapping[str, Any]]:
    lines = _Lines(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""))
    rows = csv.reader(lines, delimiter=separator, strict=True)
    try:
        header = columns.header or next((row for row in rows if not _is_blank(row)), None)
        if header is None:
            raise _Empty(
                "has no header, and nothing else: a file that names no image has its header. Write it again", False
            )
        _refuse_absent(header, columns)
        place, lines.letters = header.index(columns.key), 0
        for row in rows:
            lines.letters = 0
            if not row or (len(header) > 1 and _is_blank(row)):
                continue
            if len(row) != len(header) and not (columns.sparse and place < len(row) < len(header)):
                raise _Fault(
                    f"has {len(row)} fields, and there are {len(header)} columns: put a field that has {separator!r} in it into quotes, or correct the row"
                )
            if "\n" in row[place] or "\r" in row[place]:
                raise _Fault(
                    f"has a line end in the name {row[place]!r:.80}: close the quote that is open. A name that has one stands in JSON Lines or Parquet"
                )
            yield dict(zip(header, row, strict=not columns.sparse))
    except csv.Error as error:
        raise _Fault(
            f'has a quote that is not closed, or one within a field ({error}): correct the row; a quote in a name is written as "" within quotes'
        ) from error


def _is_blank(row: Sequence[str]) -> bool:
    """Whether it is a line of nothing but spaces."""
    return len(row) < 2 and not "".join(row).strip()


def _json(file: IO[bytes], columns: Columns) -> Iterator[Mapping[str, Any]]:
    there: dict[str, None] = {}
    for line in file:
        if line.strip():
            found = json.loads(line.decode("utf-8-sig"))
            if not isinstance(found, dict):
                raise _Fault(f"is {line[:40]!r}, and no object in braces: write one in each line")
            if not columns.sparse:
                _refuse_absent([*found], columns, of_row=True)
            if len(there) < _NAMES:
                there.update(dict.fromkeys(found))
            elif columns.sparse:
                there.update(dict.fromkeys(name for name in columns.needed if name in found))
            yield found
    if columns.sparse:
        _refuse_absent([*there], columns)


def _parquet(file: IO[bytes], columns: Columns) -> Iterator[Mapping[str, Any]]:
    import pyarrow.parquet as pq

    if not file.read(1):
        raise _Empty("has 0 bytes: a file that names no image has its columns. Write it again", False)
    file.seek(0)
    with pq.ParquetFile(file, pre_buffer=False) as table:
        there = table.schema_arrow.names
        _refuse_absent(there, columns)
        read = [name for name in (*columns.needed, *columns.also) if name in there]
        for batch in table.iter_batches(10_000, columns=read, use_threads=False):
            yield from batch.to_pylist()


def small_file(storage: Storage, key: str, named_by: str) -> bytes:
    """Raises MissingTable where it is not there."""
    with _local(storage, key, named_by, THEN, LATER) as path:
        return path.read_bytes()


@contextmanager
def _local(storage: Storage, key: str, named_by: str, then: str, later: str) -> Iterator[Path]:
    """The file on this machine: its own, or a copy that is fetched part by part."""
    size = storage.size(key)
    if size is None:
        raise MissingTable(
            f"{storage.url(key)} is not there, and {named_by} names it: write it{then}, or correct the path{later}"
        )
    path = storage.local_path(key)
    if path is not None:
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="driftwatch-", suffix=Path(key).name[-40:]) as file:
        with storage.reading(key, size) as found:
            for start in range(0, size, _PART):
                part = found.range(start, min(start + _PART, size))
                with keeping(f"a copy of {storage.url(key)}, of {size} bytes,"):
                    file.write(part)
                    file.flush()
        yield Path(file.name)
