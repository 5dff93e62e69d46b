"""Waits in the triggerer until it is a day's turn: days that run at the same time are judged one after another, oldest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseTrigger, TriggerEvent

from driftwatch_airflow.triggers.patience import rest

# By these a day's images are judged. The trend of a day rests on the days before it, and so do the episodes.
JUDGED_BY = ("profile_features", "predict_labels")
# So many days before are looked at. Those before them are waited for by these.
DAYS_BEFORE = 14
_ENDED = ("success", "failed", "upstream_failed", "skipped", "removed")


def earlier_day_at_work(dag_id: str, date: datetime) -> str | None:
    """The run of an earlier day whose images are being judged now, the newest of them; None where there is none.

    `date`: the logical date of the run that asks. Runs that only wait to begin do not count, so no two days wait for each other.
    """
    before = [date - timedelta(days=number) for number in range(1, DAYS_BEFORE + 1)]
    states = RuntimeTaskInstance.get_task_states(dag_id, task_ids=[*JUDGED_BY], logical_dates=before)
    for run_id in sorted(states, reverse=True):
        at_work = any(state not in _ENDED for state in states[run_id].values())
        if at_work and RuntimeTaskInstance.get_dagrun_state(dag_id, run_id) == "running":
            return run_id
    return None


class TurnTrigger(BaseTrigger):
    """Fires when no earlier day's images are being judged any more.

    :param dag_id: the monitoring DAG.
    :param date: the logical date of the day that waits, in ISO form.
    :param poll_seconds: seconds between two looks.
    """

    def __init__(self, dag_id: str, date: str, poll_seconds: float = 20.0) -> None:
        super().__init__()
        self.dag_id, self.date, self.poll_seconds = dag_id, date, poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        stored = {"dag_id": self.dag_id, "date": self.date, "poll_seconds": self.poll_seconds}
        return f"{type(self).__module__}.{type(self).__qualname__}", stored

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await rest()
        date, before = datetime.fromisoformat(self.date), None
        while True:
            try:
                found = await asyncio.to_thread(earlier_day_at_work, self.dag_id, date)
            except Exception as error:  # Airflow's own server may be away for a while
                self.log.warning("Airflow cannot be asked now (%s: %s)", type(error).__name__, error)
                found = before or "an earlier day"
            if found is None:
                yield TriggerEvent({})
                return
            if found != before:
                self.log.info("Waiting for the images of %s", found)
            before = found
            await asyncio.sleep(self.poll_seconds)
