"""The part `segments` of the monitor file's section `performance`: accuracy by segment, and slices that nobody named."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config.parts import OpenFraction, Section


class SegmentAccuracyConfig(Section):
    """When a segment counts as worse, and whether slices are searched."""

    alpha: OpenFraction = Field(
        0.01,
        description="The chance that a day names any segment as below `floor` or as worse than the other images, although none is. It is for all segments together.",
    )
    min_labels: int = Field(
        10,
        ge=5,
        le=100_000,
        description="A segment or slice with fewer labels is not tested. A segment with fewer than `performance.min_labels` can be an alert, and is never ok.",
    )
    alerts: Literal["tell", "alert"] = Field(
        "tell",
        description="What an alert of a segment does. tell: report, pages and alerts name it, and the day's verdict stays. alert: it makes the day's verdict an alert as well, which starts a retraining.",
    )
    slices: Literal["with_segments", "always", "never"] = Field(
        "with_segments",
        description="Whether to look where accuracy is low and nobody named a segment: in pairs of segments, predicted class and ranges of image features. with_segments: where the monitor has the section `segments`.",
    )
    slice_alpha: OpenFraction = Field(
        0.05,
        description="The chance that a day's search tells any slice although the model is equally right everywhere.",
    )
