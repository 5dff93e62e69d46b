"""The files that name a day's images."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

DAY = date(2026, 1, 8)


def parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer)
    return buffer.getvalue()


def bytes_of(*names: bytes) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"key": pa.array(names, pa.binary())}), buffer)
    return buffer.getvalue()
