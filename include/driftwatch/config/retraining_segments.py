"""The part `segments` of the monitor file's section `retraining`: which segments a retraining is for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from driftwatch.config.parts import Section

Weight = Annotated[float, Field(gt=0, le=100)]
SegmentNames = Annotated[tuple[str, ...], Field(min_length=1)]


class RetrainingSegments(Section):
    """Which segments of the labelled days a retraining learns from, and how often. The original set and the evaluation images stay whole: the
    gate judges the challenger on all segments."""

    only: dict[str, SegmentNames] = Field(
        default_factory=dict,
        description="By segmentation, the segments whose labels are trained on, such as `{camera: [door-17]}`; labels of other images are left out, and counted. Of several segmentations an image must be in all. Empty: all labels.",
    )
    weights: dict[str, dict[str, Weight]] = Field(
        default_factory=dict,
        description="By segmentation and segment, how much more often its labels are drawn than others, such as `{camera: {door-17: 3}}`. The share of labels in an epoch stays (`recent_share`). Weights of several segmentations are multiplied.",
    )

    @property
    def named(self) -> tuple[str, ...]:
        """The segmentations that are named."""
        return tuple(dict.fromkeys([*self.only, *self.weights]))
