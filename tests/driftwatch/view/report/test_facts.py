"""What is known about a day: what cannot be read is named beside what can, and only a day that was taken in is one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY
from tests.stores import day_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import DamagedArtifact, MissingArtifact
from driftwatch.storage import open_storage
from driftwatch.view.report.facts import gather
from driftwatch.view.report.sections import model

LAYOUT = MonitorKeys("demo")


@pytest.fixture
def day(tmp_path: Path) -> DayStore:
    """A day that was taken in, and no more."""
    day = day_store(open_storage(f"file://{tmp_path}"), LAYOUT.day(DAY))
    day.storage.write_json(day.keys.ingest, samples.INGEST)
    rows = [("b", "accepted"), (None, "quarantined"), ("a", "accepted")]
    day.storage.write_table(day.keys.manifest, pd.DataFrame(rows, columns=["image_id", "status"]))
    return day


def test_what_no_step_has_written_yet_is_absent_and_no_problem(day: DayStore) -> None:
    found = gather(day)
    assert (found.drift, found.predictions, found.performance, found.card) == (None, None, None, None)
    assert found.damaged == found.problems == ()


def test_accepted_images_keep_the_manifests_order(day: DayStore) -> None:
    accepted = gather(day).accepted
    assert accepted["image_id"].tolist() == ["b", "a"]
    assert accepted.index.tolist() == [0, 1]


def test_a_day_that_was_not_taken_in_is_none(day: DayStore) -> None:
    day.storage.delete(day.keys.manifest)
    with pytest.raises(MissingArtifact, match=r"manifest\.parquet"):
        gather(day)
    day.storage.delete(day.keys.ingest)
    with pytest.raises(MissingArtifact, match=r"ingest\.json"):
        gather(day)


def test_a_damaged_intake_is_an_error(day: DayStore) -> None:
    day.storage.write_bytes(day.keys.ingest, b'{"day": "2026')
    with pytest.raises(DamagedArtifact, match=r"ingest\.json"):
        gather(day)


def test_a_damaged_artifact_is_named_and_the_others_are_read(day: DayStore) -> None:
    day.storage.write_bytes(day.keys.drift, b"[]")
    day.storage.write_json(day.keys.estimate, samples.ESTIMATE)
    found = gather(day)
    assert found.drift is None
    assert found.estimate is not None
    (said,) = found.damaged
    assert "drift.json" in said
    assert found.problems == (said,)  # once, though the history reads it too


def test_a_table_without_a_column_is_damaged_and_says_which(day: DayStore) -> None:
    day.storage.write_table(day.keys.predictions, pd.DataFrame({"image_id": ["a"], "prediction": ["cat"]}))
    found = gather(day)
    assert found.predictions is None
    assert found.damaged[0].endswith("predictions.parquet has no column model_version")


def test_a_damaged_day_before_is_a_problem_but_not_of_this_day(day: DayStore) -> None:
    before = LAYOUT.day(DAY - timedelta(days=1))
    day.storage.write_json(before.ingest, samples.INGEST)
    day.storage.write_bytes(before.performance, b"")
    found = gather(day)
    assert found.damaged == ()
    assert len(found.problems) == 1
    assert before.performance in found.problems[0]


def test_the_history_begins_with_the_first_day_of_fourteen_and_keeps_the_gaps(day: DayStore) -> None:
    for back in (20, 14, 3):
        day.storage.write_json(LAYOUT.day(DAY - timedelta(days=back)).ingest, samples.INGEST)
    history = gather(day).history
    assert [found.day for found in history] == [DAY - timedelta(days=back) for back in (3, 2, 1, 0)]
    assert [found.ingest is not None for found in history] == [True, False, False, True]
    day.storage.write_json(LAYOUT.day(DAY - timedelta(days=13)).ingest, samples.INGEST)
    assert len(gather(day).history) == 14


def test_a_day_of_productions_log_has_its_account_also_where_the_log_was_refused(day: DayStore) -> None:
    day.storage.write_json(day.keys.answers, samples.ANSWERS)
    found = gather(day)
    assert found.predictions is None
    rows = dict(model(found))
    assert rows["Production's log"].startswith("104 rows of 1 file = 97 used + ")
    assert rows["Images it answered"].startswith("97 of 100; 3 have no answer")
    assert "Recheck by its file" not in rows


def test_a_day_that_the_champions_file_answered_too_has_a_line_of_that(day: DayStore) -> None:
    day.storage.write_json(day.keys.recheck, samples.RECHECK)
    assert dict(model(gather(day)))["Recheck by its file"].startswith("warning: production's answers are not those of ")
