"""What people read of an MLflow registry: how far it is, who moved its alias, and what to do."""

from __future__ import annotations

import re

import pytest
from tests.stores import SMALLEST

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.mlflow import MlflowRecord, MovedAlias
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.mlflow import mlflow_notes, mlflow_of

CONFIG = MonitorConfig.model_validate({**SMALLEST, "registry": {"mlflow": {"connection": "c", "model": "cats"}}})
FIRST, SECOND = "v0001-00000001", "v0002-00000002"


def record(**more) -> MlflowRecord:
    return MlflowRecord(model="cats", shown={FIRST: "1", SECOND: "3"}, champion=SECOND, **more)


def test_all_is_well_in_one_sentence():
    (note,) = mlflow_notes(record(), CONFIG)
    assert note.text == "MLflow's registered model cats shows 2 versions; its alias champion stands at version 3."
    assert not note.wrong


def test_a_call_that_failed_says_why_and_that_nothing_waits_for_it():
    (note,) = mlflow_notes(record(problem="no answer"), CONFIG)
    assert note.wrong
    assert "no answer. No day and no promotion waits for it, and the next call catches up." in note.text


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (FIRST, f"which shows {FIRST}.*`driftwatch champion rollback demo.yaml --to {FIRST}`"),
        (None, r"none of Driftwatch's.*`driftwatch challenger register demo\.yaml models:/cats/7 --run RUN_KEY` brings it to the gate"),
    ],
)  # fmt: skip
def test_a_moved_alias_says_that_the_champion_stays_and_how_to_bring_the_other(version, said):
    moved = MovedAlias(stands_at="7", version=version, found_at=SECOND)
    (note,) = mlflow_notes(record(moved=moved), CONFIG)
    assert note.wrong
    assert f"Driftwatch's champion is still {SECOND}" in note.text
    assert re.search(said, note.text)


def test_the_page_takes_it_from_what_the_last_call_left(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    artifacts, key = Artifacts(MonitorStore(storage, CONFIG)), MonitorKeys("demo").mlflow
    assert mlflow_of(artifacts)[0].text == "MLflow has not been called yet. The daily run does that."
    storage.write_json(key, record().stored())
    assert "shows 2 versions" in mlflow_of(artifacts)[0].text


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_bytes(MonitorKeys("demo").mlflow, b"[]")
    (note,) = mlflow_of(Artifacts(MonitorStore(storage, CONFIG)))
    assert note.wrong
    assert "mlflow.json" in note.text


def test_a_monitor_without_mlflow_says_nothing(tmp_path):
    config = MonitorConfig.model_validate(SMALLEST)
    assert mlflow_notes(None, config) == []
    assert mlflow_of(Artifacts(MonitorStore(open_storage(f"file://{tmp_path}"), config))) == []
