"""Reads the table beside a day's images that says which segment each one is in: CSV, Parquet or JSON Lines."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING

from driftwatch.errors import MissingArtifact, NeedsAttention

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore
    from driftwatch.config.segments import SegmentTable


def read_segment_table(day: DayStore, settings: SegmentTable, field: str) -> dict[str, str]:
    """The segment's name by the path of an image below the day's folder. Of two rows of an image the last counts.

    `field`: the setting's name, for messages. Raises NeedsAttention where the file or a column is missing, unless
    `missing` is unknown, and for a file that cannot be read.
    """
    key = settings.path_of(day.date)
    url = day.storage.url(key)
    try:
        data = day.storage.read_bytes(key)
    except MissingArtifact:
        if settings.missing == "unknown":
            return {}
        raise NeedsAttention(
            f"{url} is not there, and {field}.path says that it tells the images' segments: write it and clear ingest_images, correct "
            f"the path, or set {field}.missing to unknown"
        ) from None
    table = _parsed(url, key, data, [settings.key, settings.column])
    absent = [column for column in (settings.key, settings.column) if column not in table.columns]
    if absent and settings.missing == "unknown":
        return {}
    if absent:
        raise NeedsAttention(
            f"{url} has no column {' and no column '.join(map(repr, absent))}; it has {[*map(str, table.columns)][:20]}. Correct {field}.key "
            f"or {field}.column, or set {field}.missing to unknown"
        )
    incoming = f"/{day.keys.incoming}/"
    paths = [_text(value).rpartition(incoming)[2] for value in table[settings.key]]
    names = [_text(value) for value in table[settings.column]]
    return {path: name for path, name in zip(paths, names, strict=True) if path}


def _parsed(url: str, key: str, data: bytes, columns: list[str]) -> pd.DataFrame:
    """Those of the `columns` that the file has; without any of them all of its columns, for the message."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = key.lower().removesuffix(".gz")
    try:
        raw = io.BytesIO(gzip.decompress(data) if key.lower().endswith(".gz") else data)
        if name.endswith(".parquet"):
            return pq.read_table(raw).to_pandas(integer_object_nulls=True)
        if name.endswith((".csv", ".tsv")):
            separator = "\t" if name.endswith(".tsv") else ","
            # Text as it stands: NA is a country.
            return pd.read_csv(raw, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        return pd.read_json(raw, lines=True, dtype=False, convert_dates=False, encoding="utf-8-sig")
    except (ValueError, OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise NeedsAttention(
            f"{url} cannot be read ({error}): write it again, as UTF-8 with a header where it is CSV, then clear ingest_images"
        ) from error


def _text(value: object) -> str:
    """A field as text; empty where it is empty. 3.0 is 3: a table with gaps makes floats of whole numbers."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
