"""The facts of an alert: each kind has a class, and what makes one other news than the last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import (
    Alert,
    AnswersDrifted,
    DayAlert,
    DayFailed,
    ImagesDrifted,
    ModelGotWorse,
    ModelPromoted,
    ModelRolledBack,
    NoImages,
    PoolTooShort,
    RetrainingAlert,
    RetrainingFailed,
    SegmentsGotWorse,
    TooFewLabels,
    TooManyUnusable,
    TrainingSetHandedOver,
    WhyLabsFoundWorse,
)
from driftwatch.artifacts.annotation import AnnotationProgress
from driftwatch.artifacts.base import A
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.ended_alerts import EpisodeEnded, ImagesUsualAgain, ModelHoldsAgain
from driftwatch.artifacts.episodes import Episode
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.mlflow import MovedAlias
from driftwatch.artifacts.models_alerts import MlflowAliasMoved, ModelsAlert
from driftwatch.artifacts.retraining import GateResult
from driftwatch.config import AlertKind
from driftwatch.watch.findings import FINDINGS, Finding

from . import samples

DAY, RUN = date(2026, 1, 8), "manual__1"
_SHARE = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
WORSE_SEGMENT = {
    "by": "camera", "name": "door-17", "images": 90, "labels": 40, "days": 1, "accuracy": {**_SHARE, "effective_n": 40},
    "rest": _SHARE, "verdict": "alert",
}  # fmt: skip
ENDED = Episode.model_validate_json(
    json.dumps({**samples.EPISODE, "event": "closed", "ended": "usual", "told": "2026-01-08"})
)


def made(kind: type[A], whole: dict[str, Any], **changes: Any) -> A:
    return kind.model_validate_json(json.dumps({**whole, **changes}))


def alerts() -> list[Alert]:
    """One of each class."""
    performance = made(Performance, samples.PERFORMANCE)
    return [
        ImagesDrifted(DAY, made(DayDrift, samples.DAY_DRIFT)),
        AnswersDrifted(DAY, made(ContentDrift, samples.CONTENT_DRIFT)),
        ModelGotWorse(DAY, performance, performance.reasons),
        WhyLabsFoundWorse(DAY, performance, ("too low",)),
        SegmentsGotWorse(DAY, made(Performance, samples.PERFORMANCE, verdict="ok", segments=[WORSE_SEGMENT])),
        ImagesUsualAgain(DAY, ENDED),
        ModelHoldsAgain(
            DAY, ENDED.model_copy(update={"line": "performance", "ended": "model", "ended_by": "v0003-1a2b3c4d"})
        ),
        TooFewLabels(DAY, made(Performance, samples.NO_LABELS)),
        PoolTooShort(DAY, made(AnnotationProgress, samples.PROGRESS), "it ended with EXPIRED"),
        NoImages(DAY, "no object below incoming/2026-01-08"),
        TooManyUnusable(DAY, made(Ingest, samples.INGEST), "3 % > 2 %"),
        DayFailed(DAY, "merge_annotations", "no answer", "See its log."),
        RetrainingFailed(RUN, "train_challenger", "no disk", "v0001-00000001"),
        TrainingSetHandedOver(RUN, made(Handover, samples.HANDOVER), "ours"),
        ModelPromoted(RUN, samples.VERSION, made(GateResult, samples.GATE)),
        ModelRolledBack(RUN, "v0001-00000001", samples.VERSION),
        MlflowAliasMoved("cats", "3", MovedAlias(stands_at="9", version=None, found_at=samples.VERSION)),
    ]


def classes(of: type[Alert] = Alert) -> Iterator[type[Alert]]:
    for kind in of.__subclasses__():
        yield kind
        yield from classes(kind)


def test_every_kind_that_a_notifier_may_name_has_a_class_and_no_class_is_left_out_here():
    made_here = {type(alert) for alert in alerts()}
    of_the_watch = {Finding, *FINDINGS}  # tests/driftwatch/watch/findings.py has one of each
    assert made_here == set(classes()) - {DayAlert, RetrainingAlert, ModelsAlert, EpisodeEnded} - of_the_watch
    assert {alert.kind for alert in alerts()} | {each.kind for each in FINDINGS} == set(get_args(AlertKind))


def test_an_alert_is_about_a_day_about_a_run_or_about_the_models():
    for alert in alerts():
        assert (alert.about_day == "2026-01-08") == isinstance(alert, DayAlert)
        assert (alert.about_day == "") == isinstance(alert, RetrainingAlert | ModelsAlert)


def test_what_looks_at_the_same_thing_shares_a_place_in_the_outbox_and_nothing_else_does():
    shared = {
        "delivery": {NoImages, TooManyUnusable},
        "drift": {ImagesDrifted, AnswersDrifted, ImagesUsualAgain},
        "performance": {ModelGotWorse, ModelHoldsAgain, SegmentsGotWorse, TooFewLabels},
    }
    found: dict[str, set[type[Alert]]] = {}
    for alert in alerts():
        found.setdefault(alert.source, set()).add(type(alert))
    assert {source: kinds for source, kinds in found.items() if len(kinds) > 1} == shared


def test_news_is_the_verdict_and_not_its_digits():
    def worse(**changes: Any) -> dict[str, Any]:
        return ModelGotWorse(DAY, made(Performance, samples.PERFORMANCE, **changes), ()).news

    def drifted(**changes: Any) -> dict[str, Any]:
        return ImagesDrifted(DAY, made(DayDrift, samples.DAY_DRIFT, **changes)).news

    assert worse() == worse(labels=41) != worse(verdict="alert", severity="critical")
    two = {"drifted_features": ["b", "a"]}
    assert drifted(**two) == drifted(drifted_features=["a", "b"], p_value=0.02) != drifted(drifted_features=["a"])
    assert DayFailed(DAY, "a", "r", "x").news == DayFailed(DAY, "b", "s", "y").news
    assert RetrainingFailed(RUN, "a", "r", None).news != RetrainingFailed(RUN, "b", "r", None).news


def test_the_news_of_each_kind_is_that_of_version_0_1_so_that_nobody_is_told_again_after_an_upgrade():
    performance, ingest = samples.PERFORMANCE, "3 % > 2 %"
    trend = samples.DAY_DRIFT["trend"]["verdict"]
    assert [alert.news for alert in alerts()] == [
        {
            "verdict": samples.DAY_DRIFT["verdict"],
            "moved": sorted(samples.DAY_DRIFT["drifted_features"]),
            "trend": trend,
        },
        {part: samples.CONTENT_DRIFT[part]["verdict"] for part in ("content", "predictions")},
        {"verdict": performance["verdict"], "severity": performance["severity"]},
        {"verdict": performance["verdict"], "severity": performance["severity"]},
        {"verdict": "ok", "segments": ["camera door-17"]},
        {"since": "2026-01-05", "ended": "usual", "by": None},
        {"since": "2026-01-05", "ended": "model", "by": "v0003-1a2b3c4d"},
        {"verdict": "not_enough_evidence"},
        {"reason": "it ended with EXPIRED"},
        {},
        {"reason": ingest},
        {},
        {"run_id": RUN, "task": "train_challenger"},
        {"run_id": RUN},
        {"version": samples.VERSION, "run_id": RUN},
        {"version": "v0001-00000001", "previous": samples.VERSION, "run_id": RUN},
        {"model": "cats", "from": "3", "to": "9"},
    ]


def test_an_episode_that_opens_is_the_news_that_it_always_was_and_a_reminder_is_other_news():
    drift = made(DayDrift, samples.DAY_DRIFT)
    opened, reminder = (
        Episode.model_validate_json(json.dumps({**samples.EPISODE, "event": event})) for event in ("opened", "reminder")
    )
    assert ImagesDrifted(DAY, drift, episode=opened).news == ImagesDrifted(DAY, drift).news
    answers = made(ContentDrift, samples.CONTENT_DRIFT)  # known later on the day, when the first may have been told
    assert ImagesDrifted(DAY, drift, answers, opened).news != ImagesDrifted(DAY, drift, episode=opened).news
    assert ImagesDrifted(DAY, drift, episode=reminder).news != ImagesDrifted(DAY, drift).news
