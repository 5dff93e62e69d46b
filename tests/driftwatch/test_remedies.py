"""Whoever finds a damaged artifact is told what to do about it."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts import (
    accuracy,
    annotation,
    answers,
    day_map,
    decision,
    drift,
    episodes,
    failure,
    ingest,
    label_table,
    publishing,
    recheck,
)
from driftwatch.artifacts.base import DayArtifact
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.remedies import remedy

LAYOUT = MonitorKeys("demo")
DAY = LAYOUT.day(date(2026, 1, 5))
MODULES = (
    accuracy,
    annotation,
    answers,
    day_map,
    decision,
    drift,
    episodes,
    failure,
    ingest,
    label_table,
    publishing,
    recheck,
)
KINDS = [
    kind for module in MODULES for kind in vars(module).values() if isinstance(kind, type) and hasattr(kind, "file")
]


def test_every_module_with_a_days_artifacts_is_looked_at():
    assert {kind.__module__ for kind in DayArtifact.__subclasses__()} <= {module.__name__ for module in MODULES}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_artifact_of_a_day_but_the_ledger_has_a_remedy(kind):
    found = remedy(DAY.file(kind.file))
    assert found.startswith("delete it") == (kind is not publishing.UploadLedger)
    assert not found or "2026-01-05" in found or kind is failure.Failure


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (LAYOUT.champion, "champion import"),
        (LAYOUT.model_card("v0001-00000000"), "champion rollback"),
        (LAYOUT.reference("v0001-00000000"), "clear refresh_reference"),
        (LAYOUT.active_retraining, "the next retraining writes it"),
        (LAYOUT.retraining("run", "gate.json"), "clear the task of that retraining"),
        (LAYOUT.retraining("run", "checkpoints/progress.json"), "the training starts anew"),
        (LAYOUT.retraining("run", "alerts/2026-01-05.json"), "does not name that alert"),
        (LAYOUT.retraining("run", "outbox/retraining_failed.json"), "is then not told"),
        (f"{DAY.outbox}/drift.json", "is then not told"),
        (f"{LAYOUT.models_outbox}/mlflow_alias.json", "is then not told"),
        (LAYOUT.next_set("ready.json"), "champion train"),
    ],
)
def test_other_artifacts_have_remedies_of_their_own(key, said):
    assert said in remedy(key)


def test_nobody_is_told_to_delete_an_upload_ledger_as_the_day_would_be_counted_twice():
    assert remedy(DAY.published) == remedy(LAYOUT.reference_published("v0001-00000000")) == ""
