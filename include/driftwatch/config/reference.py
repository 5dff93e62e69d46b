"""The monitor file's section `reference`: what counts as usual."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from driftwatch.config.parts import Day, Section


class UsualDays(Section):
    """Days in a row that count as usual, the first and the last one included."""

    first: Day = Field(description="First day, YYYY-MM-DD.")
    last: Day = Field(description="Last day, YYYY-MM-DD; the same for a single day.")

    @model_validator(mode="after")
    def _in_order(self) -> UsualDays:
        if self.last < self.first:
            raise ValueError(f"last {self.last} is before first {self.first}")
        return self


class ReferenceConfig(Section):
    """What the drift tests take as usual: the baseline, and the states that were accepted beside it."""

    baseline: Literal["training", "trailing", "days"] = Field(
        "training",
        description="What a day is compared with, beside the accepted states. training: the images that the model was made from. trailing: the "
        "last usual days, `trailing_days` of them; as long as there are fewer, the training data. It follows the seasons; a slow change "
        "is still told by the trend, and the days since it began are left out. days: the days that `days` names.",
    )
    trailing_days: int = Field(
        14,
        ge=3,
        le=365,
        description="How many usual days are the baseline, with baseline trailing. Days that had drifted are none of them.",
    )
    days: tuple[UsualDays, ...] = Field((), description="The days that are the baseline, with baseline days.")
    accept_after_promotion: Literal["propose", "auto", "never"] = Field(
        "propose",
        description="A model was retrained on days that had drifted, and is promoted. Are such days usual from now on? propose: the message "
        "of the promotion names the days and says how to accept them. auto: they are accepted at once. never: nothing is said.",
    )

    @model_validator(mode="after")
    def _days_are_named_where_they_count(self) -> ReferenceConfig:
        if (self.baseline == "days") != bool(self.days):
            raise ValueError(
                "baseline days needs reference.days, such as `days: [{first: 2026-01-05, last: 2026-01-18}]`; the other baselines take none"
            )
        return self
