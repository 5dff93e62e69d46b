"""The monitor file's section `performance`: when the model counts as worse."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from driftwatch.config.parts import Fraction, OpenFraction, Section
from driftwatch.config.segment_accuracy import SegmentAccuracyConfig


class PerformanceConfig(Section):
    """When the model counts as worse."""

    policy: tuple[Literal["below_floor", "worse", "floor", "drop", "trend"], ...] = Field(
        ("below_floor", "worse"),
        min_length=1,
        description="The rules that may raise an alert. below_floor: the accuracy has been below `floor` since some day. worse: the accuracy has been lower since some day than on the holdout and on the days before it; for a model that the gate promoted, the labels that it was promoted by stand for the holdout. Both look at all days of the model every day, and `false_alerts_per_year` is for both together. The other rules test a day anew. floor: the whole interval of the accuracy is below `floor`. drop: the accuracy is below that of the model on its holdout (one-sided test at `alpha`). trend: the days of the model show a decline together, even if no single day does.",
    )
    floor: Fraction = Field(0.7, description="The accuracy that production needs.")
    false_alerts_per_year: float = Field(
        0.1,
        gt=0,
        le=12,
        description="`below_floor` and `worse` together raise a false alert in a year with at most this chance; above 1, it is at most this many on average.",
    )
    alpha: OpenFraction = Field(0.01, description="The significance level of the test of `drop`.")
    trend_false_alarms: float = Field(
        0.1, gt=0, le=12, description="`trend` raises at most this many false alarms in a year, on average."
    )
    min_labels: int = Field(30, ge=1, le=100_000, description="With fewer labels the verdict is not_enough_evidence.")
    pool_days: int = Field(
        7,
        ge=1,
        le=60,
        description="A day with fewer than `min_labels` labels is judged together with earlier days of the same model. At most this many days are judged together; 1 judges each day alone. The control tasks of this many days also tell how often annotators are wrong.",
    )
    persistence: int = Field(
        1,
        ge=1,
        le=30,
        description="The rules floor and drop raise an alert when they hold on this many of the last `persistence_days`, this day included.",
    )
    persistence_days: int = Field(
        1, ge=1, le=30, description="In how many of the last days with labels `persistence` counts."
    )
    critical_drop: OpenFraction = Field(
        0.1,
        description="An alert is critical if the accuracy is at least this far below the floor or the holdout; otherwise it is a warning.",
    )
    judge: Literal["corrected", "measured"] = Field(
        "corrected",
        description="Which accuracy the rules judge. corrected: the accuracy after the annotators' own errors are taken into account. This needs control tasks and `consensus: majority`; without them the measured one is judged. measured: how often the model agrees with the labels as they are.",
    )
    estimator: Literal["prediction_powered", "labels"] = Field(
        "prediction_powered",
        description="How the accuracy is estimated. prediction_powered: the model's scores on all images of the day make the interval narrower than the labels alone can, without bias. labels: by the labels alone.",
    )
    confidence: OpenFraction = Field(0.95, description="The confidence of every interval.")
    segments: SegmentAccuracyConfig = Field(default_factory=SegmentAccuracyConfig)

    @model_validator(mode="after")
    def _possible(self) -> PerformanceConfig:
        if self.persistence > self.persistence_days:
            raise ValueError(
                f"persistence is {self.persistence}, more than persistence_days ({self.persistence_days}): it could never be reached"
            )
        return self
