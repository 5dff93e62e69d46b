"""How right the model is in each segment, and where it is wrong most often: parts of performance.json."""

from __future__ import annotations

from typing import Literal

from driftwatch.artifacts.base import Part
from driftwatch.artifacts.parts import AccuracyVerdict, Number, Share, WeightedShare

SegmentFinding = Literal["below_floor", "worse_than_rest"]


class SegmentAccuracy(Part):
    """One segment's labels against the model's answers, of the day or of some days together."""

    by: str
    """The segmentation, such as camera."""
    name: str
    """The segment, such as door-17."""
    images: int
    """The day's answered images in it."""
    labels: int
    """Its labelled images on the days that are judged."""
    days: int
    """How many days are judged together."""
    accuracy: WeightedShare
    """How often label and answer agree, on these days."""
    rest: Share
    """The same of the images outside the segment, on the same days."""
    verdict: AccuracyVerdict
    """alert: below the floor, or worse than the rest, beyond what chance gives in all segments together."""
    found: tuple[SegmentFinding, ...] = ()
    """What makes it an alert."""
    p_value: Number | None = None
    """Of the clearer of the two findings, corrected for all segments; null where there are too few labels to ask."""
    examples: tuple[str, ...] = ()
    """The ids of some of the day's images in it that were answered wrongly, of an alert."""


class SliceProperty(Part):
    """What the images of a slice have in common: a segment, or a range of a feature."""

    by: str
    """The segmentation, or the feature's column."""
    name: str | None = None
    """The segment; null of a feature."""
    low: Number | None = None
    """The feature is at least this; null where there is no such end."""
    high: Number | None = None
    """The feature is less than this; null where there is no such end."""


class Slice(Part):
    """Images in which the model is wrong more often than chance would give the worst of all slices that were looked at."""

    where: tuple[SliceProperty, ...]
    """One property, or two."""
    labels: int
    """Its labelled images, of those that were searched: of more than 20,000 on the days together, 20,000 are drawn."""
    accuracy: Share
    """How often label and answer agree. The interval reckons with the slice's being chosen for looking bad."""
    rest: Share
    """The same of the images outside it."""
    p_value: Number
    """The chance that a search finds a slice as bad where there is none."""
    days: int
    """The days that were searched together."""
    examples: tuple[str, ...]
    """The ids of some of the day's images in it that were answered wrongly."""
