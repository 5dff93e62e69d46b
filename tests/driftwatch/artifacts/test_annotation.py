"""annotation.json and annotation_progress.json are read as their models say, and written again to the byte."""

from __future__ import annotations

from datetime import date, datetime, timezone
from types import SimpleNamespace

import pytest

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import LabelsConfig
from driftwatch.labels.backends.base import Pool
from driftwatch.labels.backends.toloka.collect import progress
from driftwatch.labels.money import cost_of
from driftwatch.storage import Storage, open_storage

from . import samples
from .checks import read_whole

DAY = MonitorKeys("demo").day(date(2026, 1, 10))


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        (AnnotationPlan, samples.PLAN),
        (AnnotationPlan, samples.PLANNED),
        (AnnotationPlan, samples.NO_EXAM),
        (AnnotationPlan, samples.AUTO_PLAN),
        (AnnotationProgress, samples.PROGRESS),
    ],
)
def test_a_file_is_read_whole_and_written_again(storage, kind, whole):
    storage.write_json(DAY.file(kind.file), whole)
    read_whole(storage, DAY.file(kind.file), kind)


def test_what_is_learnt_is_added_and_nothing_is_lost(storage):
    storage.write_json(DAY.annotation, samples.PLANNED)
    plan = read_whole(storage, DAY.annotation, AnnotationPlan)
    ends = datetime(2026, 1, 11, 4, 0, 0, 5, timezone.utc)
    learnt = plan.model_copy(
        update={"pool_id": "12", "state": "created", "expires": ends, "creations": {**plan.creations, "pool": 2}}
    )
    assert learnt.stored() == {
        **samples.PLANNED,
        "pool_id": "12",
        "state": "created",
        "expires": "2026-01-11T04:00:00+00:00",
        "creations": {**samples.PLANNED["creations"], "pool": 2},
        "schema_version": 1,
    }


@pytest.mark.parametrize(("pool_id", "pools", "asked"), [(None, 0, False), (None, 1, True), ("12", 1, True)])
def test_people_may_have_seen_the_sample_once_a_pool_was_asked_for(storage, pool_id, pools, asked):
    storage.write_json(DAY.annotation, {**samples.PLANNED, "pool_id": pool_id, "creations": {"pool": pools}})
    assert read_whole(storage, DAY.annotation, AnnotationPlan).asked is asked


@pytest.mark.parametrize("images", [0, 1, 60])
def test_cost_and_progress_are_the_same_when_they_are_read_again(images):
    config = LabelsConfig(backend="toloka", project_name="p", question="q", instructions="i")
    client = SimpleNamespace(get_assignments=lambda **_: [])
    for written in (cost_of(images, config), progress(client, Pool("1", images, 3, 0.2))):
        assert type(written).model_validate_json(written.model_dump_json(exclude_unset=True)) == written


def test_an_exam_that_is_never_taken_again_has_no_days(storage):
    exam = {"tasks": [], "passing_percent": 80, "retry_after_days": None, "links_end": "2026-01-17T04:00:00+00:00"}
    storage.write_json(DAY.annotation, {**samples.PLANNED, "exam": exam})
    assert read_whole(storage, DAY.annotation, AnnotationPlan).exam.retry_after_days is None
