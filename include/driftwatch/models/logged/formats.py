"""Reads the rows of a log's file: Parquet, CSV, or JSON Lines, compressed by gzip or not."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftwatch.config.logged import PRESETS, LoggedConfig
from driftwatch.errors import NeedsAttention
from driftwatch.images.table_file import StillWritten
from driftwatch.models.logged.columns import Rows, sources, table_of
from driftwatch.models.logged.files import ReadFile
from driftwatch.models.logged.presets import (
    Event,
    events_of,
    kserve_records,
    preset_columns,
    requests_of,
    sagemaker_records,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_ENDS = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_GZIP = b"\x1f\x8b"
# An image or an embedding can stand in a field.
csv.field_size_limit(1 << 30)


class BrokenLog(NeedsAttention):
    """A file of the log is not what the monitor file says, or it was cut short."""


@dataclass(frozen=True)
class ParsedFile:
    """One file of the log: its address, its size, and its rows. Of KServe's log it has `events`, which make rows when all files are read."""

    name: str
    bytes: int
    rows: Rows
    events: tuple[Event, ...] = ()


def parse(file: ReadFile, settings: LoggedConfig) -> ParsedFile:
    """The file's rows, by the columns that `settings` names.

    A row that cannot be read is counted in `Rows.broken`. Raises BrokenLog for a file that cannot be read or lacks a column, and
    StillWritten for one that was cut short and may be growing.
    """
    kind = settings.format if settings.format != "auto" else _kind_of(file)
    data = _unpacked(file)
    wanted = sources(preset_columns(settings.columns) if kind in PRESETS else settings.columns)
    events: tuple[Event, ...] = ()
    if kind == "parquet":
        rows = _of_parquet(file, data, wanted)
    elif kind == "csv":
        rows = _of_csv(file, _text(file, data), wanted, settings)
    else:
        broken: Counter[str] = Counter()
        records = _json_lines(file, _text(file, data), broken)
        if kind == "kserve":
            events, table = tuple(events_of(records, broken)), table_of((), wanted)
        elif kind == "sagemaker":
            table = table_of(sagemaker_records(file.name, records, broken), wanted)
        else:
            table = _of_json(file, records, wanted)
        rows = Rows(table, +broken)
    return ParsedFile(file.name, len(file.data), rows, events)


def rows_of(files: Sequence[ParsedFile], settings: LoggedConfig) -> list[Rows]:
    """The rows of each file. An answer of KServe's log may have its request in another file."""
    if settings.format != "kserve":
        return [file.rows for file in files]
    wanted = sources(preset_columns(settings.columns))
    requests = requests_of(event for file in files for event in file.events)
    found = []
    for file in files:
        broken = Counter(file.rows.broken)
        found.append(Rows(table_of(kserve_records(file.events, requests, broken), wanted), broken))
    return found


def _kind_of(file: ReadFile) -> str:
    bare = file.name.lower().removesuffix(".gz")
    kind = next((kind for end, kind in _ENDS.items() if bare.endswith(end)), None)
    if kind is None:
        raise BrokenLog(
            f"{file.name}: its name does not tell its format; allowed ends are {', '.join(_ENDS)}, with .gz or not. Set {file.section}.format"
        )
    return kind


def _cut(file: ReadFile, what: str) -> Exception:
    """A file that ends too early: it is still being written, or it will never be whole."""
    if not file.settled:
        return StillWritten(f"{file.name} is still being written: {what}. Run the task again when the file is whole")
    return BrokenLog(f"{file.name} {what}: write the whole file again, then clear {file.task} of the day")


def _unpacked(file: ReadFile) -> bytes:
    if not file.data.startswith(_GZIP):
        return file.data
    try:
        return gzip.decompress(file.data)
    except EOFError:
        raise _cut(file, "ends in the middle of its gzip data") from None
    except (OSError, zlib.error) as error:
        raise BrokenLog(f"{file.name} is no sound gzip file ({error}): write it again") from error


def _text(file: ReadFile, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.end == len(data) and error.reason == "unexpected end of data":
            raise _cut(file, "ends in the middle of a letter") from None
        raise BrokenLog(
            f"{file.name} is not UTF-8 ({error.reason} at byte {error.start}): write it as UTF-8"
        ) from error


def _of_parquet(file: ReadFile, data: bytes, wanted: Mapping[str, str]) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not data.endswith(b"PAR1"):
        raise _cut(file, "has no end mark of a Parquet file")
    try:
        whole = pq.ParquetFile(pa.BufferReader(data))
        there = whole.schema_arrow
        tops = {path: path if path in there.names else path.partition(".")[0] for path in wanted.values()}
        _refuse_absent(file, wanted, lambda path: tops[path] in there.names, True, there.names)
        table = whole.read(columns=sorted(set(tops.values())))
    except pa.ArrowException as error:
        raise BrokenLog(f"{file.name} is no sound Parquet file ({error}): write it again") from error
    if len(tops) and all(path == top for path, top in tops.items()):
        return Rows(_frame({role: table[path] for role, path in wanted.items()}))
    return Rows(table_of(table.to_pylist(), wanted))


def _frame(columns: Mapping[str, pa.ChunkedArray]) -> Any:
    import pandas as pd
    import pyarrow.types as kinds

    # Whole numbers with gaps would become floats, and 3 as a class would be 3.0.
    return pd.DataFrame(
        {
            role: column.to_pandas(integer_object_nulls=True)
            if not kinds.is_nested(column.type)
            else pd.Series(column.to_pylist(), dtype=object)
            for role, column in columns.items()
        }
    )


def _of_csv(file: ReadFile, text: str, wanted: Mapping[str, str], settings: LoggedConfig) -> Rows:
    separator = "\t" if settings.separator == "tab" or ".tsv" in file.name[-7:].lower() else settings.separator
    lines = [line for line in _csv_lines(text, separator) if line != []]
    names = (lines.pop(0) or []) if settings.header and lines else []
    width = len(names) or next((len(line) for line in lines if line), 0)
    names = names or [str(number) for number in range(width)]
    rows = [line for line in lines if line is not None and len(line) == width]
    broken = Counter(wrong_number_of_fields=len(lines) - len(rows))
    last = lines[-1] if lines else None
    if lines and not text.endswith(("\n", "\r")):
        if not file.settled:
            raise _cut(file, "its last line has no end")
        if last is None or len(last) != width:
            broken += Counter(cut_line=1)
            broken -= Counter(wrong_number_of_fields=1)
    places = {name: place for place, name in reversed([*enumerate(names)])}
    _refuse_absent(file, wanted, places.__contains__, bool(lines or names), names)
    return Rows(_csv_frame(rows, {role: places.get(name, 0) for role, name in wanted.items()}), +broken)


def _csv_lines(text: str, separator: str) -> Iterator[list[str] | None]:
    """The fields of each line; None for a line whose quotes are wrong."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None


def _csv_frame(rows: list[list[str]], places: Mapping[str, int]) -> Any:
    """An empty field is no value."""
    import pandas as pd

    return pd.DataFrame(
        {role: [row[place] or None for row in rows] for role, place in places.items()}, dtype=object, columns=[*places]
    )


def _of_json(file: ReadFile, records: Iterable[dict[str, Any]], wanted: Mapping[str, str]) -> pd.DataFrame:
    there: set[str] = set()

    def noted() -> Iterator[dict[str, Any]]:
        for record in records:
            there.update(path for path in wanted.values() if path in record or path.partition(".")[0] in record)
            yield record

    table = table_of(noted(), wanted)
    _refuse_absent(file, wanted, there.__contains__, len(table) > 0)
    return table


def _json_lines(file: ReadFile, text: str, broken: Counter[str]) -> Iterator[dict[str, Any]]:
    """The objects of the lines; a line that is none is counted in `broken`."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            last = number == len(lines) - 1
            if last and not file.settled:
                raise _cut(file, "its last line is cut short") from None
            broken["cut_line" if last else "no_json"] += 1
            continue
        if isinstance(found, dict):
            yield found
        else:
            broken["no_json"] += 1


def _refuse_absent(
    file: ReadFile, wanted: Mapping[str, str], there: Callable[[str], bool], any_rows: bool, names: Any = ()
) -> None:
    """Raises BrokenLog for a column that the file does not have at all."""
    absent = sorted({path for path in wanted.values() if not there(path)}) if any_rows else []
    if absent:
        listed = f"; it has {[*names][:20]}" if len(names) else ""
        raise BrokenLog(
            f"{file.name} has no column {', '.join(map(repr, absent))}{listed}. Correct {file.section}.columns; of a CSV file without a "
            "header, set header: false and number the columns from 0"
        )
