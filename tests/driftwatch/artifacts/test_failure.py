"""A failed day's note: kept, read, and named where it is damaged."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts import base
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import DamagedArtifact
from driftwatch.storage import Storage, open_storage

from . import samples
from .checks import read_whole

KEY = MonitorKeys("demo").day(date(2026, 1, 10)).failure


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def test_the_note_is_kept_as_version_0_1_wrote_it(storage):
    assert base.find(storage, KEY, Failure) is None
    base.write(storage, KEY, Failure(task="merge_annotations", reason="no answer", run_id="r1"))
    assert storage.read_json(KEY) == samples.FAILURE
    found = read_whole(storage, KEY, Failure)
    assert found == base.find(storage, KEY, Failure)
    assert found.said == "failed at merge_annotations: no answer"


def test_a_damaged_note_is_named_with_what_to_do(storage):
    storage.write_json(KEY, {"task": 3})
    with pytest.raises(DamagedArtifact, match=r"failure\.json task: .* delete it: it only says that the day failed"):
        base.find(storage, KEY, Failure)
