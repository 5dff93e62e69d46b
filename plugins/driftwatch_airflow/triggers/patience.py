"""What every trigger has: how long it waits, how often it looks, and how it is stored with its task. A trigger waits in Airflow's
triggerer process for a task that is deferred, which takes no worker slot meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, field_serializer

LONGEST_PAUSE = 600.0
# Seconds in which a scheduler reads what its executor has noticed.
_READING = 3.0


class Wait(BaseModel):
    """What a trigger waits for, and how long.

    Airflow's database keeps these fields while a task is deferred, and an upgrade must not lose the task: a field keeps its name, and
    a new field has a default. Fields that a newer version stored are ignored.
    """

    model_config = ConfigDict(frozen=True)

    deadline: AwareDatetime
    poll_seconds: float

    @field_serializer("deadline")
    def _iso(self, deadline: datetime) -> str:
        return deadline.isoformat()

    def stored(self) -> dict[str, Any]:
        """The fields as Airflow's database keeps them: plain JSON. A field with its default value is left out, so that an earlier version
        can read the rest."""
        return self.model_dump(mode="json", exclude_defaults=True)


def pause(poll_seconds: float, failures: int) -> float:
    """Seconds to the next look. That is `poll_seconds`, doubled for each failure in a row, at most LONGEST_PAUSE or `poll_seconds`."""
    return min(poll_seconds * 2 ** min(failures, 16), max(poll_seconds, LONGEST_PAUSE))


def rest_seconds() -> float:
    """For how long no trigger may fire after its task was deferred.

    An executor may notice only with its next heartbeat that the task's process has ended, and then the scheduler reads it. A task that goes on before
    that loses a try: Airflow believes that somebody changed it from outside (apache/airflow#71580, #72716).
    """
    from airflow.configuration import conf

    return conf.getfloat("workers", "min_heartbeat_interval") + _READING


async def rest() -> None:
    """To be awaited before a trigger looks for the first time."""
    await asyncio.sleep(rest_seconds())


def rested(moment: datetime, now: datetime) -> datetime:
    """`moment`, but not before a trigger may fire whose task is deferred `now`."""
    return max(moment, now + timedelta(seconds=rest_seconds()))
