"""A field that an older version did not write, or that somebody took out, stops its own file at most: it is read without it, or the error
names file, field and `driftwatch migrate`."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.stores import monitor_store

from driftwatch.accuracy.history import days_before
from driftwatch.artifacts.accuracy import Estimate, Performance, WhyLabsAnalysis
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.base import Artifact, read
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.ingest import Ingest, InputsIndex, LateFiles, ShardPlan
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.models import ChampionPointer, ModelCard, TrainingCheckpoint, TrainingSetReady
from driftwatch.artifacts.publishing import OutboxAlert, ToldNote, UploadLedger
from driftwatch.artifacts.recheck import Recheck
from driftwatch.artifacts.reference import ReferenceSettings, UsualPredictions
from driftwatch.artifacts.retraining import AttachedAlert, ChallengerNote, DatasetCard, GateResult, RetrainingRequest
from driftwatch.drift.image_quality import _trend
from driftwatch.errors import DamagedArtifact
from driftwatch.storage import Storage, open_storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.days import read_days
from driftwatch.view.model_page import models

from . import samples

KEYS = MonitorKeys("demo")
DAY = date.fromisoformat(samples.DAY)
NEXT = date(2026, 1, 9)
WHOLE: list[tuple[type[Artifact], dict[str, Any]]] = [
    (Ingest, samples.INGEST), (DayDrift, samples.DAY_DRIFT), (ContentDrift, samples.CONTENT_DRIFT), (Estimate, samples.ESTIMATE),
    (Performance, samples.PERFORMANCE), (AnnotationPlan, samples.PLAN), (AnnotationProgress, samples.PROGRESS),
    (UploadLedger, samples.LEDGER), (ReferenceSettings, samples.REFERENCE), (UsualPredictions, samples.USUAL),
    (ModelCard, samples.CARD), (ChampionPointer, samples.POINTER), (GateResult, samples.GATE), (DatasetCard, samples.DATASET_CARD),
    (ChallengerNote, samples.CHALLENGER), (RetrainingRequest, samples.REQUEST), (OutboxAlert, samples.ALERT),
    (InputsIndex, samples.INPUTS_INDEX), (ShardPlan, samples.SHARD_PLAN), (LateFiles, samples.LATE_FILES), (Answers, samples.ANSWERS),
    (Recheck, samples.RECHECK), (WhyLabsAnalysis, samples.WHYLABS), (DayEpisodes, samples.EPISODES), (Failure, samples.FAILURE),
    (ToldNote, samples.TOLD), (AttachedAlert, samples.ATTACHED_ALERT), (TrainingSetReady, samples.READY), (Handover, samples.HANDOVER),
    (TrainingCheckpoint, samples.CHECKPOINT),
]  # fmt: skip
FIELDS = [
    pytest.param(kind, whole, name, id=f"{kind.__name__}-{name}")
    for kind, whole in WHOLE
    for name in whole
    if name != "schema_version"
]
OF_THE_DAY = [param for param in FIELDS if param.values[0] in (Performance, DayDrift, AnnotationPlan, ContentDrift)]


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def without(whole: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != name}


@pytest.mark.parametrize(("kind", "whole", "name"), FIELDS)
def test_a_file_without_one_field_is_read_or_the_error_names_file_field_and_command(storage, kind, whole, name):
    storage.write_json("demo/x.json", without(whole, name))
    try:
        found = read(storage, "demo/x.json", kind)
    except DamagedArtifact as error:
        said = str(error)
        assert f"{storage.uri}/demo/x.json {name}: " in said or ": Value error, there is either input_size" in said
        assert f"driftwatch migrate {storage.uri}" in said
    else:
        assert name not in found.model_fields_set or name in kind.upgraded(without(whole, name), 1)


@pytest.mark.parametrize(("kind", "whole", "name"), OF_THE_DAY)
def test_a_day_that_lacks_a_field_stops_no_later_day(storage, kind, whole, name):
    store = monitor_store(storage, KEYS)
    storage.write_json(KEYS.day(DAY).file(kind.file), without(whole, name))
    storage.write_json(
        KEYS.day(NEXT).drift, {**samples.DAY_DRIFT, "day": NEXT.isoformat(), "day_scores": {"image.Contrast": 0.1}}
    )
    assert [day.day for day in days_before(store, NEXT)] in ([], [DAY])
    assert _trend(store, store.day(NEXT).read(DayDrift)).days == 1
    of_the_day, later = read_days(Artifacts(store))
    assert later.problems == ()
    for problem in of_the_day.problems:
        assert kind.file in problem
        assert name in problem
        assert "driftwatch migrate" in problem


def test_a_performance_without_usual_still_counts_for_later_days(storage):
    storage.write_json(KEYS.day(DAY).performance, without(samples.PERFORMANCE, "usual"))
    (past,) = days_before(monitor_store(storage, KEYS), NEXT)
    assert past.usual is None


def test_a_card_without_a_parent_is_on_the_models_page(storage):
    storage.write_json(KEYS.model_card(samples.VERSION), without(samples.CARD, "parent"))
    storage.write_json(KEYS.champion, samples.POINTER)
    assert [row.version for row in models(Artifacts(monitor_store(storage, KEYS)))] == [samples.VERSION]


def test_a_reference_without_calibrations_has_none_yet(storage):
    storage.write_json("x.json", without(samples.REFERENCE, "calibrations"))
    assert read(storage, "x.json", ReferenceSettings).calibrations == {}
