"""References: what the drift is measured against. Each model version has one of its training data, and each accepted state has its own.
Here are their settings and calibrations, and who accepted what. A calibration is the distribution of the test's score on images without
drift."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from driftwatch.artifacts.base import Artifact, Part
from driftwatch.artifacts.model_input import OfFeatures
from driftwatch.artifacts.parts import Number, Time

# What the content of an image is told by.
ContentFeatures = Literal["embeddings", "gist", "none"]


class ReferenceSettings(OfFeatures):
    """reference/<version>/reference.json, of image quality, or content.json; the images themselves are in a table beside it."""

    false_alarm_rate: Number
    """How often a day without drift may be called drifted."""
    seed: int
    """Seed of the random splits."""
    min_images: int
    """With fewer independent images the verdict is not_enough_evidence."""
    images: int
    """Images in the reference."""
    features: tuple[str, ...]
    """The columns that are tested."""
    splits: int
    """Random splits that a calibration takes."""
    calibrations: dict[int, tuple[tuple[int, Number], ...]] = Field(default_factory=dict)
    """For each batch size the null distribution of the score as (rank, score), rank 1 being the largest of `splits`. One that is not here is
    computed again, to the same numbers."""


class UsualPredictions(Artifact):
    """reference/<version>/predictions.json: how often the version answers each class on images that it was not trained on."""

    images: int
    """Held-out images that this is known from."""
    counts: dict[str, int]
    """Answers by class; their sum says how surely the shares are known."""
    content: ContentFeatures = "embeddings"
    """What the reference of content is made of: the model's embeddings (also where this is absent), GIST, or nothing."""


class BaselineDecision(Part):
    """One decision about a state."""

    what: Literal["accepted", "withdrawn"]
    """From this decision on the state counts, or it does not."""
    by: str
    """Who decided: a person, or the run of the retraining DAG."""
    at: Time
    """When."""
    reason: str
    """Why."""


class AcceptedState(Artifact):
    """reference/states/<name>/state.json: days that were accepted as usual."""

    name: str
    """Its name, which drift.json says."""
    days: tuple[datetime.date, ...]
    """The days that it is made of, in order."""
    images: int
    """Images in its reference of image quality."""
    history: tuple[BaselineDecision, ...]
    """Every decision about it, oldest first; the last one counts."""

    @property
    def counts(self) -> bool:
        """Whether it is usual: it was accepted, and not withdrawn since."""
        return self.history[-1].what == "accepted"

    def is_usual_on(self, day: datetime.date) -> bool:
        """Whether the day may be like it. Its own days and those before are judged without it, so that their verdicts stay."""
        return self.counts and day > self.days[-1]


class StateOfModel(Artifact):
    """reference/states/<name>/<version>/state.json: what the state's references of content and predictions rest on."""

    images: int
    """Images of its days that the version answered and was not trained on."""
    left_out: dict[str, str]
    """For each day that is not in it: why."""


class Mute(Part):
    """A feature, or a segment, that does not alarm for a while."""

    what: Literal["feature", "segment"]
    """What is muted."""
    name: str
    """The feature's column; or the segmentation and its value, as in camera=door-17."""
    since: datetime.date
    """The first day on which it does not alarm."""
    until: datetime.date
    """The last one; before `since` where it was let alarm again before that."""
    by: str
    """Who muted it."""
    at: Time
    """When."""
    reason: str
    """Why; the pages show it."""

    def holds_on(self, day: datetime.date) -> bool:
        """Whether it does not alarm on the day."""
        return self.since <= day <= self.until


class Mutes(Artifact):
    """reference/mutes.json: everything that is or was muted, oldest first."""

    mutes: tuple[Mute, ...]
    """Those that are over stay, so that a day that runs again comes out alike."""
