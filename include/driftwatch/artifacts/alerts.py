"""The alerts: one class for each kind, with the values that it is about.

The step that finds something makes one of these. `driftwatch.view.alerts` puts it into words. Nothing here is stored: the outbox (the
folder of alerts that wait to be sent) keeps the words, as OutboxAlert.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.artifacts.annotation import AnnotationProgress
    from driftwatch.artifacts.drift import ContentDrift, DayDrift
    from driftwatch.artifacts.episodes import Episode
    from driftwatch.artifacts.handover import Handover
    from driftwatch.artifacts.ingest import Ingest
    from driftwatch.artifacts.retraining import GateResult
    from driftwatch.config import AlertKind

# If this differs from the last alert of the same kind and day, the alert is news. It has the verdict, not its exact numbers.
News = dict[str, str | list[str] | None]


@dataclass(frozen=True)
class Alert:
    """What an alert is about.

    `kind`: notifiers choose alerts by it, as in `notifiers.on`. `source`: its place in the outbox. Steps that look at the same thing
    share a place; what the last of them found counts. `page`: which of the monitor's pages shows it, of an alert about no day.
    """

    kind: ClassVar[AlertKind]
    source: ClassVar[str]
    page: ClassVar[str] = "models"

    @property
    def about_day(self) -> str:
        """The day as YYYY-MM-DD; empty for an alert about a retraining or the models."""
        return ""

    @property
    def news(self) -> News:
        """Two alerts of one kind and day with the same news are the same alert. People are told once."""
        return {}


@dataclass(frozen=True)
class DayAlert(Alert):
    """What an alert about a day is about. `day`: the run's own date, UTC."""

    day: datetime.date

    @property
    def about_day(self) -> str:
        return self.day.isoformat()


@dataclass(frozen=True)
class RetrainingAlert(Alert):
    """What an alert about a retraining is about. `run_id`: the run of the retraining DAG."""

    run_id: str


def _of_segments(drift: DayDrift | ContentDrift) -> News:
    """The segments that drifted, are new or are missing; empty where there are none."""
    rows = drift.segments_that("drifted", "new", "missing")
    told = sorted(f"{row.kind} of {row.by} {row.name} {row.status}" for row in rows)
    return {"segments": told} if told else {}


def _of_episode(episode: Episode | None) -> News:
    """What there is to tell of an episode on the day; empty where it opens, where there is nothing, and for an alert without one."""
    if episode is None or episode.event in (None, "opened"):
        return {}
    return {"episode": f"{episode.event} {episode.since}", "added": list(episode.added)}


@dataclass(frozen=True)
class ImagesDrifted(DayAlert):
    """The quality of the images changed, on the day or slowly over the days. `answers`: what else changed, if anything. `episode`: the change
    that this is a day of; where there is none, or nothing new in it, only the segments are news that are new on the day."""

    kind = "drift"
    source = "drift"

    drift: DayDrift
    answers: ContentDrift | None = None
    episode: Episode | None = None

    @property
    def news(self) -> News:
        moved, trend = sorted(self.drift.drifted_features), self.drift.trend
        news: News = {"verdict": self.drift.verdict, "moved": moved, "trend": trend.verdict if trend else None}
        also: News = (
            {"content": self.answers.content.verdict, "predictions": self.answers.predictions.verdict}
            if self.answers
            else {}
        )
        return news | _of_segments(self.drift) | also | _of_episode(self.episode)


@dataclass(frozen=True)
class AnswersDrifted(DayAlert):
    """What is photographed changed, or what the model answers. `episode`: as in ImagesDrifted."""

    kind = "drift"
    source = "drift"

    drift: ContentDrift
    episode: Episode | None = None

    @property
    def news(self) -> News:
        news: News = {"content": self.drift.content.verdict, "predictions": self.drift.predictions.verdict}
        return news | _of_segments(self.drift) | _of_episode(self.episode)


@dataclass(frozen=True)
class ModelGotWorse(DayAlert):
    """The day's verdict is an alert. `reasons`: why, in words. `episode`: as in ImagesDrifted."""

    kind = "performance"
    source = "performance"

    performance: Performance
    reasons: tuple[str, ...]
    episode: Episode | None = None

    @property
    def news(self) -> News:
        news: News = {"verdict": self.performance.verdict, "severity": self.performance.severity}
        return news | _of_episode(self.episode)


@dataclass(frozen=True)
class WhyLabsFoundWorse(ModelGotWorse):
    """WhyLabs' accuracy monitors found an anomaly, but the day's own verdict is no alert. `reasons`: WhyLabs', in words."""

    source = "whylabs"


@dataclass(frozen=True)
class SegmentsGotWorse(DayAlert):
    """The day's own verdict is no alert, but some of its segments are. `episode`: as in ImagesDrifted."""

    kind = "performance"
    source = "performance"

    performance: Performance
    episode: Episode | None = None

    @property
    def news(self) -> News:
        worse = [f"{each.by} {each.name}" for each in self.performance.segments if each.verdict == "alert"]
        news: News = {"verdict": self.performance.verdict, "segments": sorted(worse)}
        return news | _of_episode(self.episode)


@dataclass(frozen=True)
class TooFewLabels(DayAlert):
    """The labels are not enough evidence for a verdict."""

    kind = "too_few_labels"
    source = "performance"

    performance: Performance

    @property
    def news(self) -> News:
        return {"verdict": self.performance.verdict}


@dataclass(frozen=True)
class PoolTooShort(DayAlert):
    """The pool (the day's job for annotators) ended before there were enough answers. `reason`: why they cannot be used."""

    kind = "short_pool"
    source = "short_pool"

    progress: AnnotationProgress
    reason: str

    @property
    def news(self) -> News:
        return {"reason": self.reason}


@dataclass(frozen=True)
class NoImages(DayAlert):
    """No image arrived. `reason`: what was looked for."""

    kind = "empty_day"
    source = "delivery"

    reason: str


@dataclass(frozen=True)
class TooManyUnusable(DayAlert):
    """Too many of the day's files are no usable images. `reason`: the limit that was passed."""

    kind = "too_many_rejects"
    source = "delivery"

    ingest: Ingest
    reason: str

    @property
    def news(self) -> News:
        return {"reason": self.reason}


@dataclass(frozen=True)
class DayFailed(DayAlert):
    """A task failed for good, after its retries. A day tells this once, whichever task failed. `reason`: in one line. `advice`: what to do, as a
    sentence."""

    kind = "day_failed"
    source = "day_failed"

    task: str
    reason: str
    advice: str


@dataclass(frozen=True)
class RetrainingFailed(RetrainingAlert):
    """A task of a retraining failed for good. `champion`: the version that goes on serving; None if none is registered."""

    kind = "retraining_failed"
    source = "retraining_failed"

    task: str
    reason: str
    champion: str | None

    @property
    def news(self) -> News:
        return {"run_id": self.run_id, "task": self.task}


@dataclass(frozen=True)
class TrainingSetHandedOver(RetrainingAlert):
    """The training set waits for the team, which trains the model. `dag`: the team's DAG that was triggered; None if there is none."""

    kind = "training_set_handed_over"
    source = "training_set_handed_over"

    handover: Handover
    dag: str | None

    @property
    def news(self) -> News:
        return {"run_id": self.run_id}


@dataclass(frozen=True)
class ModelPromoted(RetrainingAlert):
    """A challenger became the champion. `gate`: the comparison that it won. `retrained_days`: the days that had drifted and that it was
    retrained for. `accepted`: the state that they became; None where nothing was accepted."""

    kind = "model_promoted"
    source = "model_promoted"

    version: str
    gate: GateResult
    retrained_days: tuple[datetime.date, ...] = ()
    accepted: str | None = None

    @property
    def news(self) -> News:
        return {"version": self.version, "run_id": self.run_id}


@dataclass(frozen=True)
class ModelRolledBack(RetrainingAlert):
    """An earlier model is the champion again. `previous`: the one that served until then."""

    kind = "model_rolled_back"
    source = "model_rolled_back"

    version: str
    previous: str | None

    @property
    def news(self) -> News:
        return {"version": self.version, "previous": self.previous, "run_id": self.run_id}
