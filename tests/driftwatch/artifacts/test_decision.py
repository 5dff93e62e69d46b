"""decision.json is written without what does not apply, and named with a remedy where it is damaged."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts import base
from driftwatch.artifacts.decision import RetrainingDecision
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import DamagedArtifact
from driftwatch.storage import open_storage

from .checks import read_whole

KEY = MonitorKeys("demo").day(date(2026, 1, 10)).decision


def test_a_decision_is_kept_and_read_whole(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    base.write(storage, KEY, RetrainingDecision(verdict="alert", run_id="perf_alert__2026-01-10"))
    assert storage.read_json(KEY) == {"verdict": "alert", "run_id": "perf_alert__2026-01-10", "schema_version": 1}
    assert read_whole(storage, KEY, RetrainingDecision).held is None


def test_a_damaged_decision_is_named_with_the_step_that_writes_it(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_json(KEY, {"verdict": "maybe"})
    with pytest.raises(DamagedArtifact, match=r"decision\.json verdict: .* check_performance"):
        base.find(storage, KEY, RetrainingDecision)
