"""The monitor file's section `performance`: when the model counts as worse."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from driftwatch.config.parts import OpenShare, Section, Share


class PerformanceConfig(Section):
    """When the model counts as worse."""

    policy: tuple[Literal["floor", "drop", "trend"], ...] = Field(
        ("floor", "drop"),
        min_length=1,
        description="floor: the whole accuracy interval is below `floor`. drop: accuracy is below the champion's holdout accuracy (one-sided test at `alpha`). trend: the days of the model together show it, though no single day does.",
    )
    floor: Share = Field(0.7, description="Accuracy that production needs.")
    alpha: OpenShare = Field(0.01, description="Significance of the drop test.")
    trend_false_alarms: float = Field(
        0.1, gt=0, le=12, description="At most this many false alarms of `trend` a year, on average."
    )
    min_labels: int = Field(30, ge=1, le=100_000, description="Fewer labels give not_enough_evidence.")
    pool_days: int = Field(
        7,
        ge=1,
        le=60,
        description="A day with fewer than `min_labels` is judged together with the days before it that the same model answered, at most this many days in all; 1 judges each day alone. As many days' control tasks say how often people err.",
    )
    persistence: int = Field(
        1,
        ge=1,
        le=30,
        description="floor and drop alert when they fire on this many of `persistence_days`, this day included.",
    )
    persistence_days: int = Field(1, ge=1, le=30, description="The last days with labels that `persistence` counts in.")
    critical_drop: OpenShare = Field(
        0.1,
        description="An alert is critical where accuracy is at least this far below the floor or the holdout, else a warning.",
    )
    judge: Literal["corrected", "measured"] = Field(
        "corrected",
        description="corrected: the policy judges the accuracy corrected for the labels' own errors, where control tasks tell them and a majority merges them; measured: the agreement with the labels as they are.",
    )
    estimator: Literal["prediction_powered", "labels"] = Field(
        "prediction_powered",
        description="prediction_powered: the scores of all the day's images narrow the interval that the labels give, without bias; labels: labels alone.",
    )
    confidence: OpenShare = Field(0.95, description="Confidence of every interval.")

    @model_validator(mode="after")
    def _possible(self) -> PerformanceConfig:
        if self.persistence > self.persistence_days:
            raise ValueError(
                f"persistence is {self.persistence}, more than persistence_days ({self.persistence_days}): it could never be reached"
            )
        return self
