"""The section `schedule` of the monitor file."""

from __future__ import annotations

from pydantic import Field, model_validator

from driftwatch.config.parts import Day, Section


class ScheduleConfig(Section):
    """Which days are monitored. A day is a UTC date; its run starts at the next midnight UTC."""

    start_date: Day = Field(description="The first day that is monitored, without quotes: `2026-01-01`.")
    end_date: Day | None = Field(None, description="The last day that is monitored; null means no end.")
    delivery_hours: float = Field(
        6,
        ge=0,
        le=24 * 7,
        description="For this many hours after a day has ended, its images may still arrive. The day's run waits for them. A run that is triggered without `day` is about the newest day for which these hours are over.",
    )

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> ScheduleConfig:
        if self.end_date and self.end_date < self.start_date:
            raise ValueError(
                f"end_date {self.end_date} is before start_date {self.start_date}: no day would be monitored"
            )
        return self
