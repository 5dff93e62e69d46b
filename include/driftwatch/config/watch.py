"""The monitor file's section `watch`: what the DAG driftwatch_watch tells."""

from __future__ import annotations

from pydantic import Field

from driftwatch.config.parts import Section


class WatchConfig(Section):
    """When the DAG `driftwatch_watch`, which looks at all monitors each hour, tells something (docs/operate/watch.md). Late days have
    `schedule.deadline_hours`, reminders `episodes.remind_days`."""

    spend_share: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Labels that take so much of `labels.max_cost_per_month`, as a share, are told, once a month.",
    )
    pool_hours: float = Field(
        12,
        gt=0,
        le=160,
        description="A pool in which nobody has answered so many hours after it was opened is told.",
    )
    reference_days: int = Field(
        365,
        ge=0,
        le=3660,
        description="A reference with which days have been compared for so many days is told, unless newer days were accepted as usual. 0: never.",
    )
