"""The section `schedule` of the monitor file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from driftwatch.config.parts import Day, Section

MOST_CATCHUP_DAYS = 366


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
    deadline_hours: float | None = Field(
        None,
        gt=0,
        le=24 * 366,
        description="A day without a verdict so many hours after its end is told as late. null: as long as the day may take by `delivery_hours`, by the time that a missing file is waited for (`images.wait_hours`, `model.logged.wait_hours`) and by the time that labels have (`labels.expire_hours`, or `labels.wait_days` of a table), and 6 hours more for the steps and their retries.",
    )
    catchup: bool | Annotated[int, Field(ge=1, le=MOST_CATCHUP_DAYS)] = Field(
        False,
        description="What the monitor does about days that were lost while its DAG was paused or Airflow was down. false: nothing but the newest day; the others stay gaps. A number: it takes up the days among the last so many, oldest first. true: every day since the last run. Each asks people and costs money, within the limits.",
    )

    @property
    def catchup_days(self) -> int:
        """How many of the last days are taken up after a pause; 0: none but the newest."""
        return MOST_CATCHUP_DAYS * self.catchup if isinstance(self.catchup, bool) else self.catchup

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> ScheduleConfig:
        if self.end_date and self.end_date < self.start_date:
            raise ValueError(
                f"end_date {self.end_date} is before start_date {self.start_date}: no day would be monitored"
            )
        return self
