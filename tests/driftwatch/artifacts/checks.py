"""What the tests of all artifacts look at: a file is read, nothing in it is unknown, and it is written again to the byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from driftwatch.artifacts import base
from driftwatch.artifacts.accuracy import Estimate, Performance, WhyLabsAnalysis
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.day_map import DayMap
from driftwatch.artifacts.decision import RetrainingDecision
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.ingest import Ingest, InputsIndex, LateFiles, ShardPlan
from driftwatch.artifacts.mlflow import MlflowRecord
from driftwatch.artifacts.models import (
    ChampionPointer,
    ModelCard,
    TrainingCheckpoint,
    TrainingSetPixels,
    TrainingSetReady,
)
from driftwatch.artifacts.publishing import OutboxAlert, ToldNote, UploadLedger
from driftwatch.artifacts.recheck import Recheck
from driftwatch.artifacts.reference import AcceptedState, Mutes, ReferenceSettings, StateOfModel, UsualPredictions
from driftwatch.artifacts.retraining import AttachedAlert, ChallengerNote, DatasetCard, GateResult, RetrainingRequest
from driftwatch.artifacts.served_model import ServedModel
from driftwatch.storage import Storage
from driftwatch.storage.formats import json_bytes

OF_A_DAY: tuple[type[base.DayArtifact], ...] = (
    Ingest, InputsIndex, ShardPlan, LateFiles, DayDrift, ContentDrift, Estimate, Performance, WhyLabsAnalysis, AnnotationPlan,
    AnnotationProgress, UploadLedger, Failure, Answers, Recheck, DayEpisodes, RetrainingDecision, DayMap,
)  # fmt: skip
_DAY = r"[^/]+/days/\d{4}-\d\d-\d\d/"
_KINDS: dict[str, type[base.Artifact]] = {
    **{_DAY + re.escape(kind.file): kind for kind in OF_A_DAY},
    r"[^/]+/reference/(states/)?[^/]+/(v[^/]+/)?(reference|content)\.json": ReferenceSettings,
    r"[^/]+/reference/(states/[^/]+/)?[^/]+/predictions\.json": UsualPredictions,
    r"[^/]+/reference/states/[^/]+/state\.json": AcceptedState,
    r"[^/]+/reference/states/[^/]+/v[^/]+/state\.json": StateOfModel,
    r"[^/]+/reference/mutes\.json": Mutes,
    r"[^/]+/reference/[^/]+/published\.json": UploadLedger,
    r"[^/]+/models/champion\.json": ChampionPointer,
    r"[^/]+/models/mlflow\.json": MlflowRecord,
    r"[^/]+/models/v[^/]+/card\.json": ModelCard,
    r"[^/]+/models/v[^/]+/model\.json": ServedModel,
    r"[^/]+/training/next/ready\.json": TrainingSetReady,
    r"[^/]+/training/(next/)?pixels\.json": TrainingSetPixels,
    r"[^/]+/.*outbox/(.*/)?told/.*\.json": ToldNote,
    r"[^/]+/(outbox/[^/]+|retraining/[^/]+/outbox)/[^/]+\.json": OutboxAlert,
    r"[^/]+/retraining/active\.json": RetrainingRequest,
    r"[^/]+/retraining/[^/]+/alerts/[^/]+\.json": AttachedAlert,
    r"[^/]+/retraining/[^/]+/dataset_card\.json": DatasetCard,
    r"[^/]+/retraining/[^/]+/challenger\.json": ChallengerNote,
    r"[^/]+/retraining/[^/]+/gate\.json": GateResult,
    r"[^/]+/retraining/[^/]+/handover/manifest\.json": Handover,
    r"[^/]+/retraining/[^/]+/checkpoints/progress\.json": TrainingCheckpoint,
}


def kind_of(key: str) -> type[base.Artifact]:
    """The artifact that is stored at `key`."""
    return next(kind for pattern, kind in _KINDS.items() if re.fullmatch(pattern, key))


def every_kind() -> set[type[base.Artifact]]:
    return set(_KINDS.values())


def unknown_fields(found: Any, path: str = "") -> Iterator[str]:
    """The fields of a file that no model names."""
    if isinstance(found, BaseModel):
        yield from (f"{path}.{name}" for name in found.model_extra or {})
        for name in type(found).model_fields:
            yield from unknown_fields(getattr(found, name), f"{path}.{name}")
    elif isinstance(found, dict):
        for name, part in found.items():
            yield from unknown_fields(part, f"{path}.{name}")
    elif isinstance(found, tuple):
        for part in found:
            yield from unknown_fields(part, f"{path}[]")


def read_whole(storage: Storage, key: str, kind: type[base.A]) -> base.A:
    """The artifact at `key`, having checked that its model knows all of it and writes it again to the byte."""
    data = storage.read_bytes(key)
    found = base.read(storage, key, kind)
    assert sorted(set(unknown_fields(found))) == []
    again = found.stored()
    assert again.pop("schema_version") == kind.VERSION
    before = json.loads(data)
    before.pop("schema_version", None)
    assert json_bytes(again) == json_bytes(before)
    if "schema_version" not in json.loads(data):
        assert json_bytes(again) == data
    return found
