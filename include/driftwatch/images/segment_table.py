"""Reads the table beside a day's images that says which segment each one is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.images.layout import place_of_day
from driftwatch.images.table_file import (
    LATER,
    MissingColumns,
    MissingTable,
    TableFile,
    path_in_table,
    read_table_file,
    settled,
    text_of,
)

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.config.segments import SegmentTable


def read_segment_table(day: DayStore, settings: SegmentTable, field: str) -> dict[str, str]:
    """The segment's name by the path of an image below the day's folder. Of two rows of an image the last counts.

    `field`: the setting's name, for messages. Raises NeedsAttention where the file or a column is missing, unless
    `missing` is unknown, and for a file that cannot be read; StillWritten as `settled`.
    """
    file = TableFile(settings.path_of(day.date), (settings.key, settings.column), field)
    of_all_days = file.key == settings.path
    try:
        with settled(day.storage, file.key, None if of_all_days else day.config.images.settle_seconds):
            table = read_table_file(day.storage, file, ", then clear ingest_images")
    except (MissingTable, MissingColumns) as error:
        if settings.missing == "unknown":
            return {}
        later = LATER if isinstance(error, MissingTable) and not of_all_days else ""
        raise type(error)(f"{error}; or set {field}.missing to unknown{later}") from error
    root = place_of_day(day).root
    paths = [path_in_table(root, value) for value in table[settings.key]]
    names = [text_of(value) for value in table[settings.column]]
    return {path: name for path, name in zip(paths, names, strict=True) if path}
