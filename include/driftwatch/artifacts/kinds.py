"""Which kind of artifact a key holds: for whoever goes over a whole storage, such as `driftwatch migrate`."""

from __future__ import annotations

import re

from driftwatch.artifacts import base
from driftwatch.artifacts.accuracy import Estimate, Performance, WhyLabsAnalysis
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.day_map import DayMap
from driftwatch.artifacts.decision import RetrainingDecision
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.forgetting import ForgetReceipt, ForgetWork
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.ingest import Ingest, InputsIndex, LateFiles, ShardPlan
from driftwatch.artifacts.label_table import LabelTable
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
from driftwatch.artifacts.summary import MonthSummary

OF_A_DAY: tuple[type[base.DayArtifact], ...] = (
    Ingest, InputsIndex, ShardPlan, LateFiles, DayDrift, ContentDrift, Estimate, Performance, WhyLabsAnalysis, AnnotationPlan,
    AnnotationProgress, UploadLedger, Failure, Answers, Recheck, DayEpisodes, RetrainingDecision, DayMap, LabelTable,
)  # fmt: skip
_DAY = r"[^/]+/days/\d{4}-\d\d-\d\d/"
_BY_PATTERN: dict[str, type[base.Artifact]] = {
    **{_DAY + re.escape(kind.file): kind for kind in OF_A_DAY},
    r"[^/]+/reference/(states/)?[^/]+/(v[^/]+/)?(reference|content)\.json": ReferenceSettings,
    r"[^/]+/reference/(states/[^/]+/)?[^/]+/predictions\.json": UsualPredictions,
    r"[^/]+/reference/states/[^/]+/state\.json": AcceptedState,
    r"[^/]+/reference/states/[^/]+/v[^/]+/state\.json": StateOfModel,
    r"[^/]+/reference/mutes\.json": Mutes,
    r"[^/]+/reference/[^/]+/published\.json": UploadLedger,
    r"[^/]+/summaries/\d{4}-\d\d\.json": MonthSummary,
    r"[^/]+/models/champion\.json": ChampionPointer,
    r"[^/]+/models/mlflow\.json": MlflowRecord,
    r"[^/]+/models/v[^/]+/card\.json": ModelCard,
    r"[^/]+/models/v[^/]+/model\.json": ServedModel,
    r"[^/]+/training/next/ready\.json": TrainingSetReady,
    r"[^/]+/training/(next/)?pixels\.json": TrainingSetPixels,
    r"[^/]+/.*outbox/(.*/)?told/.*\.json": ToldNote,
    r"[^/]+/(outbox/[^/]+|retraining/[^/]+/outbox)/[^/]+\.json": OutboxAlert,
    r"[^/]+/forgotten/[^/]+/work\.json": ForgetWork,
    r"[^/]+/forgotten/[^/]+/receipt\.json": ForgetReceipt,
    r"[^/]+/retraining/active\.json": RetrainingRequest,
    r"[^/]+/retraining/[^/]+/alerts/[^/]+\.json": AttachedAlert,
    r"[^/]+/retraining/[^/]+/dataset_card\.json": DatasetCard,
    r"[^/]+/retraining/[^/]+/challenger\.json": ChallengerNote,
    r"[^/]+/retraining/[^/]+/gate\.json": GateResult,
    r"[^/]+/retraining/[^/]+/handover/manifest\.json": Handover,
    r"[^/]+/retraining/[^/]+/checkpoints/progress\.json": TrainingCheckpoint,
}
_KINDS = {re.compile(pattern): kind for pattern, kind in _BY_PATTERN.items()}


def kind_of(key: str) -> type[base.Artifact] | None:
    """The kind of artifact that is stored at `key`; None if it is no JSON artifact of Driftwatch."""
    return next((kind for pattern, kind in _KINDS.items() if pattern.fullmatch(key)), None)


def every_kind() -> set[type[base.Artifact]]:
    """All kinds that are stored at a key of their own."""
    return set(_KINDS.values())
