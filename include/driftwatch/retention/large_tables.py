"""Takes images out of a table that is not held: piece by piece, as `blank_tables` does with a small one."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driftwatch.retention.blank_tables import blank_parquet
from driftwatch.storage.tables import pieces, writing_table

if TYPE_CHECKING:
    from driftwatch.storage import Storage

# Tables of more bytes are not held. Their rows take about ten times as much in memory.
MOST_HELD = 32_000_000


def blank_large(storage: Storage, key: str, names: Mapping[str, str]) -> bool:
    """Replaces the table at `key` by one without the images, as `blank_parquet`. Returns whether it had any of them. What was measured of an image
    becomes the median of the other images of its piece."""
    pattern = "|".join(map(re.escape, names))
    if not any(_has_any(piece, pattern) for piece in pieces(storage, key)):
        return False
    all_pieces = pieces(storage, key)
    first = next(all_pieces)
    with writing_table(storage, key, first.schema) as file:
        file.add(_blanked(first, pattern, names))
        for piece in all_pieces:
            file.add(_blanked(piece, pattern, names))
    return True


def _has_any(piece: pa.Table, pattern: str) -> bool:
    texts = (
        piece[field.name]
        for field in piece.schema
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    )
    return any(pc.any(pc.match_substring_regex(text, pattern)).as_py() for text in texts)


def _blanked(piece: pa.Table, pattern: str, names: Mapping[str, str]) -> pa.Table:
    if not _has_any(piece, pattern):
        return piece
    buffer = io.BytesIO()
    pq.write_table(piece, buffer)
    return pq.read_table(io.BytesIO(blank_parquet(buffer.getvalue(), names))).cast(piece.schema)
