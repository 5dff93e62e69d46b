"""Takes images out of tables and JSON: their ids and keys become names that lead nowhere, and what was measured of them the median of the
others. No row goes, so every count stays true."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from driftwatch.models.splits import LEFT_OUT
from driftwatch.storage.tables import ROWS

if TYPE_CHECKING:
    import pyarrow as pa

# What was measured of an image: features, and the components of its embedding.
_MEASURED = re.compile(r"image\.|component_\d+$|distance$|residual$")


def blank_json(data: bytes, names: Mapping[str, str]) -> bytes:
    """A JSON object with each of `names` replaced, wherever it stands."""
    text = data.decode()
    for name, other in names.items():
        for written in {json.dumps(name, ensure_ascii=plain)[1:-1] for plain in (True, False)}:
            text = _replaced(text, {written: json.dumps(other, ensure_ascii=False)[1:-1]})
    return text.encode()


def blank_parquet(data: bytes, names: Mapping[str, str]) -> bytes:
    """A parquet table without the images; the same bytes where it has none of them.

    `names`: see `search.replacements`. Rows whose image_id is replaced also get another perceptual hash, the split left_out, and the
    median of what was measured of the others.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    rows = _rows_of(table, names)
    changed = _renamed(table, names)
    if changed is table and not rows:
        return data
    for name in changed.column_names:
        changed = _blanked(changed, name, rows, table)
    buffer = io.BytesIO()
    pq.write_table(changed, buffer, compression="zstd", row_group_size=ROWS)
    return buffer.getvalue()


def _rows_of(table: pa.Table, names: Mapping[str, str]) -> dict[int, str]:
    """The rows that are about one of the images, each with its new name."""
    if "image_id" not in table.column_names:
        return {}
    ids = table["image_id"].to_pylist()
    return {place: names[image_id] for place, image_id in enumerate(ids) if image_id in names}


def _renamed(table: pa.Table, names: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    pattern = "|".join(map(re.escape, names))
    for place, field in enumerate(table.schema):
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            continue
        if pc.any(pc.match_substring_regex(table[field.name], pattern)).as_py():
            texts = [text and _replaced(text, names) for text in table[field.name].to_pylist()]
            table = table.set_column(place, field, pa.array(texts, field.type))
    return table


def _replaced(text: str, names: Mapping[str, str]) -> str:
    """The text with each name replaced that stands there whole: a.jpg is not in a.jpg.png, nor in aa.jpg."""
    for name, other in names.items():
        whole = rf"(?<![\w.-]){re.escape(name)}(?![\w/-]|\.\w)"
        text = re.sub(whole, other.replace("\\", r"\\"), text)
    return text


def _blanked(table: pa.Table, name: str, rows: Mapping[int, str], before: pa.Table) -> pa.Table:
    """The table with a column's values of `rows` made neutral, where they tell something of the image."""
    import numpy as np
    import pyarrow as pa

    if not rows or not (name in ("phash", "split") or _MEASURED.match(name)):
        return table
    values = before[name].to_pylist()
    others = [value for place, value in enumerate(values) if place not in rows and value is not None]
    for place, new in rows.items():
        if name == "phash":
            values[place] = new[-16:]
        elif name == "split":
            values[place] = LEFT_OUT
        elif values[place] is not None:
            values[place] = float(np.median(others)) if others else 0.0
    field = table.schema.field(name)
    return table.set_column(table.column_names.index(name), field, pa.array(values, field.type))
