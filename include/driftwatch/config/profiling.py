"""The monitor file's section `profiling`: how drift is judged."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from driftwatch.config.parts import LARGEST_SEED, OpenShare, Section


class FalseAlarmShares(Section):
    """How `false_alarm_rate` is shared among the three kinds of drift; together at most 1."""

    image_quality: OpenShare = Field(0.5, description="Pixel features: what a camera, a lens or a codec does.")
    content: OpenShare = Field(0.25, description="The model's embedding: what is photographed.")
    predictions: OpenShare = Field(0.25, description="The shares of the predicted classes.")

    @model_validator(mode="after")
    def _at_most_one(self) -> FalseAlarmShares:
        total = self.image_quality + self.content + self.predictions
        if total > 1 + 1e-9:
            raise ValueError(
                f"the shares add up to {total:g}; at most 1 is allowed, or days would raise more false alarms"
            )
        return self


class ProfilingConfig(Section):
    """The drift tests: image quality, content, predictions, and the trend over days."""

    false_alarm_rate: OpenShare = Field(
        0.01, description="Chance that a day without drift is called drifted, all kinds and features together."
    )
    false_alarm_shares: FalseAlarmShares = Field(default_factory=FalseAlarmShares)
    min_images: int = Field(
        30, ge=2, le=1_000_000, description="Below this many independent images the verdict is not_enough_evidence."
    )
    group_pattern: str | None = Field(
        None,
        description="Regular expression on an image's path below the day's folder, whose first group names what makes images "
        "alike for the day alone, such as a session or a moving camera: `^([^/]+)/`. Not for cameras that deliver every day. "
        "Near-duplicates are found without it.",
    )
    trend_false_alarms_per_year: float = Field(
        0.2, gt=0, le=12, description="False alarms of the trend over days in a year of daily data, at most."
    )
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="Seed of the calibration.")

    @field_validator("group_pattern")
    @classmethod
    def _has_a_group(cls, value: str | None) -> str | None:
        try:
            groups = re.compile(value).groups if value is not None else 1
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is no regular expression: {error}") from error
        if not groups:
            raise ValueError("needs a group in parentheses, such as ^([^/]+)/")
        return value
