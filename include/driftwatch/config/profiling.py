"""The monitor file's section `profiling`: how drift is judged."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from driftwatch.config.parts import LARGEST_SEED, Fraction, OpenFraction, Section
from driftwatch.config.segments import SegmentDriftConfig


class FalseAlarmShares(Section):
    """How `false_alarm_rate` is divided among the three kinds of drift. The shares add up to at most 1."""

    image_quality: OpenFraction = Field(
        0.5, description="The pixel features: what a camera, a lens or a codec changes."
    )
    content: OpenFraction = Field(0.25, description="The model's embeddings: what is photographed.")
    predictions: OpenFraction = Field(0.25, description="The shares of the predicted classes.")

    @model_validator(mode="after")
    def _at_most_one(self) -> FalseAlarmShares:
        total = self.image_quality + self.content + self.predictions
        if total > 1 + 1e-9:
            raise ValueError(
                f"the shares add up to {total:g}; at most 1 is allowed, or there would be more false alarms than false_alarm_rate"
            )
        return self


class ProfilingConfig(Section):
    """The drift tests: image quality, content, predictions, and the trend over days."""

    false_alarm_rate: OpenFraction = Field(
        0.01,
        description="The chance that a day without drift is called drifted, for all kinds of drift and all features together. The test is "
        "calibrated for each new number of images, and that takes the longer the smaller the rate is: 0.001 about ten times as long as "
        "0.01, and 0.0002 about sixty times.",
    )
    false_alarm_shares: FalseAlarmShares = Field(default_factory=FalseAlarmShares)
    min_images: int = Field(
        30,
        ge=2,
        le=1_000_000,
        description="With fewer independent images the verdict is not_enough_evidence. Near-duplicates count as one image.",
    )
    min_effect: Fraction = Field(
        0.05,
        description='A smaller difference is shown as "detected, small" and does not alarm. The size is the share of the images that would at '
        "least have to change: for a feature the Kolmogorov-Smirnov distance, for the predicted classes the total variation distance. It matters on "
        "days of thousands of images, where a change of every image by a tenth of a standard deviation is significant. Take 0 where a few "
        "broken images in a hundred matter, and no segments tell them.",
    )
    group_pattern: str | None = Field(
        None,
        description="For images that are alike for one day only, such as those of a session or of a moving camera: a regular expression "
        "on an image's path below the day's folder. Images with the same text in its first group are taken to be alike; `^([^/]+)/` "
        "takes the first folder. Do not use it for cameras that deliver every day. Near-duplicates are found without it.",
    )
    trend_false_alarms_per_year: float = Field(
        0.2,
        gt=0,
        le=12,
        description="The trend over days raises at most this many false alarms in a year of daily data.",
    )
    segments: SegmentDriftConfig = Field(default_factory=SegmentDriftConfig)
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="Seed of the drift tests' calibration.")

    @field_validator("group_pattern")
    @classmethod
    def _has_a_group(cls, value: str | None) -> str | None:
        try:
            groups = re.compile(value).groups if value is not None else 1
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is no regular expression: {error}; an example that is one: ^([^/]+)/") from error
        if not groups:
            raise ValueError("needs a group in parentheses, such as ^([^/]+)/")
        return value
