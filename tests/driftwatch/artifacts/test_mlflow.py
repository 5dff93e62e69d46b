"""What is kept of MLflow is read whole, and a damaged record says that it can be deleted."""

from __future__ import annotations

import pytest

from driftwatch.artifacts import base
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.mlflow import MlflowRecord, MovedAlias
from driftwatch.errors import DamagedArtifact
from driftwatch.storage import open_storage

from .checks import read_whole

KEY = MonitorKeys("demo").mlflow
VERSION = "v0001-0a1b2c3d"


@pytest.mark.parametrize(
    "record",
    [
        MlflowRecord(model="cats", shown={}, problem="no answer"),
        MlflowRecord(
            model="cats",
            shown={VERSION: "1"},
            champion=VERSION,
            moved=MovedAlias(stands_at="7", version=None, found_at=VERSION),
        ),
    ],
)
def test_the_record_is_written_and_read_whole(tmp_path, record):
    storage = open_storage(f"file://{tmp_path}")
    base.write(storage, KEY, record)
    assert read_whole(storage, KEY, MlflowRecord) == record


def test_a_damaged_record_says_what_to_do(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_json(KEY, {"model": 3})
    with pytest.raises(DamagedArtifact, match=r"mlflow\.json model: .* delete it: the next call to MLflow writes it"):
        base.find(storage, KEY, MlflowRecord)
