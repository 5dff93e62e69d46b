"""Waits in the triggerer for WhyLabs to analyse a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from airflow.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent

from driftwatch_airflow.hooks.whylabs import WhyLabsHook
from driftwatch_airflow.triggers.patience import pause


class AnalysisTrigger(BaseTrigger):
    """Asks WhyLabs every `poll_seconds` until both accuracy `analyzers` have judged the `accuracy` that was uploaded for the
    `day`, or `deadline` (ISO, aware) has passed.

    Fires {"state": "analysed", and the fields of Analysis}, {"state": "late", "reasons"}, or {"state": "refused", "reasons"} where
    asking again cannot help. A failure that may pass is logged, and asked again. It keeps nothing, so it can be killed and started again.
    """

    def __init__(
        self,
        whylabs_conn_id: str,
        dataset: str,
        day: str,
        analyzers: list[str],
        accuracy: float,
        deadline: str,
        poll_seconds: float,
    ) -> None:
        super().__init__()
        self.whylabs_conn_id = whylabs_conn_id
        self.dataset = dataset
        self.day = day
        self.analyzers = analyzers
        self.accuracy = accuracy
        self.deadline = deadline
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "driftwatch_airflow.triggers.analysis.AnalysisTrigger",
            {
                "whylabs_conn_id": self.whylabs_conn_id,
                "dataset": self.dataset,
                "day": self.day,
                "analyzers": self.analyzers,
                "accuracy": self.accuracy,
                "deadline": self.deadline,
                "poll_seconds": self.poll_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        from driftwatch.errors import NeedsAttention
        from driftwatch.publish.analysis import NOT_ANALYSED, read_analysis

        deadline, failures = datetime.fromisoformat(self.deadline), 0
        floor, trend = self.analyzers
        while True:
            try:
                api = await asyncio.to_thread(WhyLabsHook(self.whylabs_conn_id, self.dataset).get_conn)
                day = date.fromisoformat(self.day)
                found = await asyncio.to_thread(read_analysis, api, day, (floor, trend), self.accuracy)
            except NeedsAttention as error:
                yield TriggerEvent({"state": "refused", "reasons": [str(error)]})
                return
            except Exception as error:  # whatever a network, a proxy or a secrets backend makes of its trouble
                reasons, failures = [f"{type(error).__name__}: {error}"], failures + 1
            else:
                failures = 0
                if found.verdict != NOT_ANALYSED:
                    yield TriggerEvent({"state": "analysed", **asdict(found)})
                    return
                reasons = found.reasons
            if timezone.utcnow() >= deadline:
                yield TriggerEvent({"state": "late", "reasons": reasons})
                return
            seconds = pause(self.poll_seconds, failures)
            self.log.info("WhyLabs: %s; asking again in %s s", "; ".join(reasons), seconds)
            await asyncio.sleep(seconds)
