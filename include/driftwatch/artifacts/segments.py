"""Drift of each segment: parts of drift.json and of content_drift.json."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field

from driftwatch.artifacts.base import Part
from driftwatch.artifacts.parts import Number

SegmentStatus = Literal["usual", "drifted", "new", "missing", "not_enough_evidence", "muted"]


class SegmentFeature(Part):
    """What moved in a segment: a feature, a component of the embeddings, or a predicted class."""

    feature: str
    """The feature's column, the component, or the class."""
    test: str
    """The test with the highest score: ks, shift, low_tail or high_tail; share for a class."""
    effect: Number
    """Kolmogorov-Smirnov distance, 0 to 1; for a class the difference of its shares."""
    direction: str
    """up, down, or none where a constant stays."""
    p_value: Number
    """Adjusted for all features, tests and segments."""


class SegmentDrift(Part):
    """One segment of the day against its own images of usual days."""

    kind: Literal["image_quality", "content", "predictions"] = "image_quality"
    """What was tested. Of image quality, new and missing segments are told too."""
    by: str
    """The segmentation, such as camera."""
    name: str
    """The segment, such as door-17."""
    images: int
    """Its accepted images of the day; 0 where it is missing."""
    effective_n: int = Field(default_factory=lambda known: known["images"])
    """How many independent images were tested; absent where all were."""
    usual_images: int = 0
    """With how many of its own usual images it was compared; absent where it has none."""
    status: SegmentStatus
    """drifted where the p-value is no more than the rate of all segments together. new: it has not been there before, and has too few
    images of its own to be compared with. missing: it has no image, and usually has. muted: it would have
    drifted or be missing, and somebody muted it."""
    p_value: Number | None = None
    """The chance of so large a difference without drift, adjusted for all features, tests and segments; absent without a test."""
    effect: Number | None = None
    """The largest of the features' effects, 0 to 1; absent without a test."""
    features: tuple[SegmentFeature, ...] = ()
    """What moved, strongest first; absent where nothing did."""
    silenced: Literal["small", "muted"] | None = None
    """Why a difference that was detected does not alarm: smaller than `profiling.min_effect`, or of muted features. Absent where it alarms,
    or where there is none."""
    examples: tuple[str, ...] = ()
    """Ids of the images that lie furthest in the direction of the drift; absent where it has not drifted."""

    def tested(self, sampled: bool) -> str:
        """Its images and, where they are fewer, how many independent ones were tested: `420 (105 independent)`. `sampled`: the day is judged
        by a random sample of its images, and what was tested is of that."""
        if self.effective_n == self.images:
            return f"{self.images:,}"
        return f"{self.images:,} ({self.effective_n:,} independent{' in the sample' if sampled else ''})"

    since: datetime.date | None = None
    """The first of the days on end with this status; absent for usual ones and those without enough evidence."""
