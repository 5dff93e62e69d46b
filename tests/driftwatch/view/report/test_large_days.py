"""Of a day that is judged by a sample the report says what it says of any day, and reads no table whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY
from tests.stores import day_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore
from driftwatch.storage import open_storage, tables
from driftwatch.view.report import large_days
from driftwatch.view.report.facts import gather
from driftwatch.view.report.files_section import files
from driftwatch.view.report.sections import model

N = 1000


@pytest.fixture
def day(tmp_path: Path, monkeypatch) -> DayStore:
    """A day of 1,000 files in row groups of 64, with predictions and the labels of ten images."""
    monkeypatch.setattr(large_days, "_MOST_OF_STATUS", 300)
    monkeypatch.setattr(tables, "ROWS", 64)
    day = day_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo").day(DAY))
    rng = np.random.default_rng(0)
    status = rng.choice(["accepted", "quarantined", "ignored"], N, p=[0.5, 0.1, 0.4])
    ids = np.array([f"{number:064x}" for number in rng.permutation(N)], object)
    manifest = pd.DataFrame(
        {
            "key": [f"demo/incoming/{DAY}/{number:04d}.jpg" for number in range(N)],
            "image_id": np.where(status == "accepted", ids, None),
            "bytes": np.arange(N),
            "status": status,
            "reason": np.where(status == "accepted", "", "no_image: it is none"),
            "width": 30,
            "height": 40,
        }
    )
    manifest.loc[manifest.index[status == "accepted"][:3], "reason"] = "no_end_mark: odd"
    accepted = manifest[status == "accepted"]["image_id"].reset_index(drop=True)
    said = np.where(np.arange(len(accepted)) % 3 == 0, "cat", "dog")
    answers = pd.DataFrame({"image_id": accepted, "prediction": said, "model_version": "v1"})
    labels = pd.DataFrame({"image_id": accepted[5:15], "label": "cat", "status": "consensus", "votes": 3, "votes.unclear": 0, "votes.cat": 3})  # fmt: skip
    for key, table in ((day.keys.manifest, manifest), (day.keys.predictions, answers)):
        with tables.writing_table(day.storage, key, pa.Table.from_pandas(table).schema) as file:
            file.add(pa.Table.from_pandas(table))
    day.storage.write_table(day.keys.labels, labels)
    day.storage.write_json(day.keys.ingest, samples.INGEST)
    return day


def test_the_report_of_a_large_day_says_the_same_and_holds_few_rows(day: DayStore, monkeypatch) -> None:
    whole = gather(day)
    day.storage.write_json(day.keys.ingest, {**samples.INGEST, "judged": 100})
    read = type(day.storage).read_bytes
    never = (day.keys.manifest, day.keys.predictions)

    def of(self, key: str) -> bytes:
        assert key not in never, key
        return read(self, key)

    monkeypatch.setattr(type(day.storage), "read_bytes", of)
    found = gather(day)
    assert found.damaged == whole.damaged == ()
    assert found.answered == whole.answered
    assert model(found) == model(whole)
    ours, theirs = files(found), files(whole)
    assert (ours.rows, ours.more, ours.reasons) == (theirs.rows, theirs.more, theirs.reasons)
    assert len(found.predictions) == 10
    shown = whole.accepted[whole.accepted["image_id"].isin(found.predictions["image_id"])]
    here = found.accepted.loc[shown.index]
    assert here[["key", "image_id", "width"]].equals(shown[["key", "image_id", "width"]].rename_axis(here.index.name))
    assert len(found.manifest) < 10 + 3 + 100 + 310


def test_before_there_are_answers_there_are_none(day: DayStore) -> None:
    for key in (day.keys.predictions, day.keys.labels):
        day.storage.delete(key)
    day.storage.write_json(day.keys.ingest, {**samples.INGEST, "judged": 100})
    found = gather(day)
    assert (found.predictions, found.answered, found.damaged) == (None, {}, ())
