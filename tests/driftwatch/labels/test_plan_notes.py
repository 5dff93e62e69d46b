"""What is learnt of a pool goes into the plan as it stands, by whoever holds the lock."""

from __future__ import annotations

import pytest

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import MissingArtifact
from driftwatch.labels.plan_notes import note_end, note_progress
from driftwatch.outside import watching
from driftwatch.storage.lock import LockLost

from ..artifacts import samples
from .planning import of_day

DONE = AnnotationProgress.model_validate(samples.PROGRESS)


@pytest.fixture
def day(storage, monitor) -> DayStore:
    day = of_day(storage, monitor)
    storage.write_json(day.keys.annotation, samples.PLANNED)
    return day


def test_facts_are_added_to_what_another_run_has_noted_meanwhile(day):
    planned = day.read(AnnotationPlan)
    note_end(day, "EXPIRED", DONE)
    paid = DONE.model_copy(update={"spent": 1.5})
    noted = note_progress(day, paid)
    assert noted == planned.model_copy(update={"state": "closed", "close_reason": "EXPIRED", "progress": paid})
    assert day.read(AnnotationPlan) == noted


def test_an_end_without_a_reason_is_written_as_such(day):
    note_end(day, None, DONE)
    assert day.storage.read_json(day.keys.annotation)["close_reason"] is None


def test_a_day_without_a_plan_is_named(storage, monitor):
    with pytest.raises(MissingArtifact, match=r"annotation\.json"):
        note_progress(of_day(storage, monitor), DONE)


def test_one_whose_lock_was_taken_over_writes_nothing(s3_storage, monitor):
    day = of_day(s3_storage, monitor)
    s3_storage.write_json(day.keys.annotation, samples.PLANNED)
    lock, taken = day.monitor.keys.annotation_lock, []

    def take_over(when: str, touched: str) -> None:
        if when == "after" and touched.endswith(file_name(lock)) and not taken:
            taken.append(touched)
            s3_storage.write_bytes(lock, b"free after a takeover")

    with watching(take_over), pytest.raises(LockLost, match="taken over by another task"):
        note_end(day, "COMPLETED", DONE)
    assert taken
    assert s3_storage.read_json(day.keys.annotation) == samples.PLANNED
