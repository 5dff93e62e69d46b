"""How well two programs' answers to the same images agree, for monitors with `model.predictions: logged` whose champion is a file."""

from __future__ import annotations

import datetime

from driftwatch.artifacts.base import DayArtifact, Part
from driftwatch.artifacts.parts import Number


class Agreement(Part):
    """The difference of an image's scores is the largest of its classes."""

    images: int
    """Images that both answered."""
    largest: Number
    """The largest difference of any of them."""
    median: Number
    """The median difference."""
    other_class: int
    """How many got another class."""
    agrees: bool
    """Whether the largest difference is small enough for two programs that do the same."""


class Recheck(Agreement, DayArtifact):
    """recheck.json: a sample of the day's images that production answered, answered by the champion's file too."""

    file = "recheck.json"

    day: datetime.date
    """The run's own date, UTC."""
    model_version: str
    """The version whose file answered."""
    scores: bool
    """Whether production's answers have scores. Where they have none, the differences are 0 or 1: whether the class is the same."""
