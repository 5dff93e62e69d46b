"""The day's episodes (episodes.json): each change from its first alarm to its end, as it stands after the day."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from driftwatch.artifacts.base import DayArtifact, Part
from driftwatch.artifacts.parts import Number

EpisodeLine = Literal["images", "performance"]
EpisodeEvent = Literal["opened", "changed", "reminder", "closed"]
Course = Literal["better", "same", "worse"]
# What alarms: kinds of drift, and of a worse model. Others are segments, as in camera=door-17.
IMAGE_QUALITY, CONTENT, PREDICTIONS, TREND = "image_quality", "content", "predictions", "trend"
MODEL, CRITICAL, WHYLABS = "model", "critical", "whylabs"


class Sign(Part):
    """Something that is not as usual in an episode."""

    name: str
    """image_quality, content, predictions or trend; model, critical or whylabs; or a segment: the segmentation and its value, as in
    camera=door-17."""
    since: datetime.date
    """The first day on which it alarmed in this episode."""
    usual_days: int = 0
    """On how many days with evidence, up to this one and on end, it was as usual again; absent while it alarms."""

    @property
    def of_segment(self) -> bool:
        return "=" in self.name


class Episode(Part):
    """One change, as it stands after the day."""

    line: EpisodeLine
    """images: image quality, content, predictions, trend and segments together. performance: the model."""
    since: datetime.date
    """Its first day with an alarm."""
    until: datetime.date
    """Its last one so far."""
    alarms: int
    """How many of its days alarmed."""
    signs: tuple[Sign, ...]
    """What is not as usual, or was not until lately. A segment leaves when it has been usual for `episodes.usual_days`."""
    features: int = 0
    """How many features had drifted on the last day with an alarm; absent where none had."""
    size: Number
    """Of the change on the last day with an alarm, 0 to 1: the largest effect; of a model 1 less its accuracy, on a day without a label that
    of the days that were judged together."""
    first_size: Number
    """The same of its first day."""
    model_version: str
    """The version that its days were judged by: for performance production's own where there are several."""
    event: EpisodeEvent | None = None
    """What there is to tell of it on this day; absent where there is nothing new."""
    added: tuple[str, ...] = ()
    """Signs that are new since it was last told; only with an event."""
    gone: tuple[str, ...] = ()
    """Segments that are usual again since it was last told; only with an event."""
    grew: bool = False
    """Whether it is told because its size has grown; else absent."""
    told: datetime.date
    """When it was last told."""
    told_signs: tuple[str, ...] = ()
    """The signs that it had then."""
    told_size: Number = Field(default_factory=lambda known: known["first_size"])
    """The size that it had then."""
    ended: Literal["usual", "accepted", "model"] | None = None
    """How it ended on this day: usual days followed; its days were accepted as a state; or another model took over. Absent while it is open."""
    ended_by: str | None = None
    """That state or that model version; else absent."""

    @property
    def course(self) -> Course:
        """Whether the change is larger or smaller than on its first day, by more than 0.1."""
        grown = self.size - self.first_size
        return "worse" if grown > 0.1 else "better" if grown < -0.1 else "same"

    @property
    def current(self) -> tuple[str, ...]:
        """The names of the signs that alarmed on the last day that says anything of them."""
        return tuple(sign.name for sign in self.signs if not sign.usual_days)

    def day_number(self, day: datetime.date) -> int:
        """1 on its first day."""
        return (day - self.since).days + 1


class DayEpisodes(DayArtifact):
    """episodes.json: the episodes that are open after the day, and those that ended on it."""

    file = "episodes.json"

    day: datetime.date
    """The run's own date, UTC."""
    episodes: tuple[Episode, ...] = ()
    """Of each line at most one that is open; before it one that ended."""

    @property
    def open(self) -> tuple[Episode, ...]:
        return tuple(episode for episode in self.episodes if episode.ended is None)

    def of(self, line: EpisodeLine) -> Episode | None:
        """The newest episode of a line; None where there is none."""
        return next((episode for episode in reversed(self.episodes) if episode.line == line), None)
