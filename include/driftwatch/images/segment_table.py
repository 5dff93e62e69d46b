"""Reads the table beside a day's images that says which segment each one is in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from driftwatch.errors import NeedsAttention
from driftwatch.images.layout import place_of_day
from driftwatch.images.rows_by_path import RowsByPath
from driftwatch.images.table_file import LATER, MissingColumns, MissingTable, path_in_table, settled, text_of
from driftwatch.images.table_rows import THEN, Columns, rows_of

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.config.segments import SegmentTable


class SegmentsInTable:
    """Which segment each image is in, as a table says it. Of two rows of an image the last counts."""

    def __init__(self, rows: RowsByPath | None) -> None:
        self._rows = rows

    def of(self, paths: Sequence[str]) -> list[str | None]:
        """The segment of the image at each path below the day's folder; None where the table does not say it."""
        found = self._rows.of(paths) if self._rows else {}
        return [found[path][-1][0] or None if path in found else None for path in paths]


def read_segment_table(day: DayStore, settings: SegmentTable, field: str) -> SegmentsInTable:
    """`field`: the setting's name, for messages. Raises NeedsAttention where the file or a column is missing, unless
    `missing` is unknown, and for a file that cannot be read; StillWritten as `settled`.
    """
    key = settings.path_of(day.date)
    of_all_days = key == settings.path
    try:
        with settled(day.storage, key, None if of_all_days else day.config.images.settle_seconds):
            return SegmentsInTable(RowsByPath(_rows(day, settings, key, field), 1))
    except (MissingTable, MissingColumns) as error:
        if settings.missing == "unknown":
            return SegmentsInTable(None)
        later = LATER if isinstance(error, MissingTable) and not of_all_days else ""
        raise type(error)(f"{error}; or set {field}.missing to unknown{later}") from error


def _rows(day: DayStore, settings: SegmentTable, key: str, field: str) -> Iterator[tuple[str, str]]:
    """Path and segment of each row that names an image."""
    columns = Columns(
        settings.key, (settings.key, settings.column), f"Correct the columns of {field}, or the file", sparse=True
    )
    root = place_of_day(day).root
    for place, row in rows_of(day.storage, key, columns, field, THEN, ""):
        path, name = path_in_table(root, row.get(settings.key)), text_of(row.get(settings.column))
        if not name.isascii() and any("\ud800" <= letter <= "\udfff" for letter in name):
            raise NeedsAttention(f"{place} has a segment that is no UTF-8 ({name!a:.80}): correct the row{THEN}")
        if path:
            yield path, name
