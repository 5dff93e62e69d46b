"""The generated year is what the product itself would have written: each artifact is read by its own model."""

from __future__ import annotations

from datetime import date

import pytest
from tests.stores import SMALLEST

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.ingest import Ingest, InputsIndex
from driftwatch.artifacts.keys import DATASET_CARD, GATE
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.artifacts.publishing import UploadLedger
from driftwatch.artifacts.retraining import DatasetCard, GateResult
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.images.inputs import DayInputs
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo.year import FIRST, IMAGES, SECOND, Year

LAST = date(2026, 1, 30)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> MonitorStore:
    storage = open_storage(f"file://{tmp_path_factory.mktemp('year')}")
    config = MonitorConfig.model_validate(SMALLEST)
    Year(storage, config, LAST, days=30, whole_days=1).write()
    return MonitorStore(storage, config)


def test_each_day_has_its_artifacts_whole(store):
    assert len(store.days()) == 30
    for day in map(store.day, store.days()):
        assert day.read(Ingest).accepted == len(day.read(AnnotationPlan).sample) == day.read(DayDrift).n == IMAGES
    last = store.day(LAST)
    assert last.read(InputsIndex).rows == (IMAGES,)
    assert len(DayInputs(last)) == IMAGES
    assert [upload.state for upload in last.read(UploadLedger).uploads] == ["done"]


def test_the_camera_breaks_and_a_retraining_answers_it(store):
    drifted = [day for day in store.days() if store.day(day).read(DayDrift).verdict == "drifted"]
    broken = [day for day in drifted if store.day(day).read(Ingest).model_version == FIRST]
    assert broken
    pointer = store.read(store.keys.champion, ChampionPointer)
    first, second = (store.read(store.keys.model_card(version), ModelCard) for version in (FIRST, SECOND))
    assert (pointer.version, pointer.champions) == (SECOND, (FIRST, SECOND))
    assert (first.parent, second.parent) == (None, FIRST)
    run = str(pointer.promoted_by)
    gate = store.read(store.keys.retraining(run, GATE), GateResult)
    assert second.gate == gate
    assert gate.decision == "promote"
    assert store.read(store.keys.retraining(run, DATASET_CARD), DatasetCard).last_day in broken


def test_the_broken_camera_is_one_episode_of_the_images(store):
    drifted = [day for day in store.days() if store.day(day).read(DayDrift).verdict == "drifted"]
    assert store.day(drifted[0]).read(DayEpisodes).of("images").since == drifted[0]
