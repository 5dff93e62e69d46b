"""Names of images are replaced where they stand whole, in JSON and in tables."""

from __future__ import annotations

import io
import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from driftwatch.retention.blank_tables import blank_json, blank_parquet
from driftwatch.storage.tables import ROWS

KEY, OTHER = "incoming/2026-01-08/cat 1.jpg", "incoming/2026-01-08/forgotten-1"
NAMES = {KEY: OTHER}
LONGER = [f"{KEY}.png", f"{KEY}-2", f"x{KEY}", f"{KEY}/part"]
WHOLE = [KEY, f"demo/{KEY}", f"{KEY}: damaged.", f"see {KEY}, and"]


@pytest.mark.parametrize("text", LONGER)
def test_a_name_that_another_only_begins_or_ends_with_stays(text):
    assert json.loads(blank_json(json.dumps({"key": text}).encode(), NAMES)) == {"key": text}


@pytest.mark.parametrize("text", WHOLE)
def test_a_whole_name_goes_wherever_it_stands(text):
    assert json.loads(blank_json(json.dumps({"key": text}).encode(), NAMES)) == {"key": text.replace(KEY, OTHER)}


def test_a_table_keeps_longer_names_and_missing_ones():
    buffer = io.BytesIO()
    pd.DataFrame({"image_id": ["a", "b", "c"], "key": [KEY, LONGER[0], None]}).to_parquet(buffer)
    table = pd.read_parquet(io.BytesIO(blank_parquet(buffer.getvalue(), NAMES)))
    assert table["key"].tolist()[:2] == [OTHER, LONGER[0]]
    assert table["key"].isna().tolist() == [False, False, True]


def test_a_table_is_still_read_by_row_groups_when_an_image_of_it_was_forgotten():
    buffer = io.BytesIO()
    pd.DataFrame({"image_id": [f"{row}" for row in range(3 * ROWS)], "key": KEY}).to_parquet(buffer)
    file = pq.ParquetFile(io.BytesIO(blank_parquet(buffer.getvalue(), NAMES)))
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [ROWS] * 3
