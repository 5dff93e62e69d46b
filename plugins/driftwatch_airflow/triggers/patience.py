"""What every trigger has: how long it waits, how often it looks, and how it is stored with the task that it waits for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, field_serializer

LONGEST_PAUSE = 600.0


class Wait(BaseModel):
    """What a trigger waits for, and how long.

    Airflow's database keeps these fields while a task is deferred, and an upgrade must not lose the task: a field keeps its name, and
    a new one has a default. Fields that a newer version stored are passed over.
    """

    model_config = ConfigDict(frozen=True)

    deadline: AwareDatetime
    poll_seconds: float

    @field_serializer("deadline")
    def _iso(self, deadline: datetime) -> str:
        return deadline.isoformat()

    def stored(self) -> dict[str, Any]:
        """The fields as Airflow's database keeps them: plain JSON. A field that has its default is left out, so that an earlier
        version reads what it knows."""
        return self.model_dump(mode="json", exclude_defaults=True)


def pause(poll_seconds: float, failures: int) -> float:
    """Seconds to the next look: `poll_seconds`, doubled with each failure in a row up to LONGEST_PAUSE, or to `poll_seconds`."""
    return min(poll_seconds * 2 ** min(failures, 16), max(poll_seconds, LONGEST_PAUSE))
