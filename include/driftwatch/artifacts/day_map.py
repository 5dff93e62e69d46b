"""The day's images and those of the reference in two dimensions: map.json."""

from __future__ import annotations

import datetime

from driftwatch.artifacts.base import DayArtifact, Part
from driftwatch.artifacts.parts import Number


class MapPoints(Part):
    """Some images and where they lie. The three fields have one order."""

    images: tuple[str, ...]
    """Their ids; empty texts where an early Driftwatch did not keep them."""
    x: tuple[Number, ...]
    """Along the direction in which the images differ most."""
    y: tuple[Number, ...]
    """Along the second one."""


class DayMap(DayArtifact):
    """map.json: what tells the content of the day's images and of the reference's, as points that lie near each other where images are alike."""

    file = "map.json"

    day: datetime.date
    """The run's own date, UTC."""
    reference_version: str
    """The model version whose held-out images are the reference."""
    shares: tuple[Number, Number]
    """Which share of all differences each direction shows, 0 to 1."""
    of_day: MapPoints
    """Images of the day: all, or a random sample of them."""
    of_reference: MapPoints
    """Held-out images of the reference: all, or a random sample of them."""
    images: int
    """Images of the day, those that are no point too."""
