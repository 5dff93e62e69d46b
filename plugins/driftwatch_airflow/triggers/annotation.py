"""Waits in the triggerer for a pool to close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from airflow.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent

from driftwatch_airflow.hooks.toloka import TolokaHook


class AnnotationCompleteTrigger(BaseTrigger):
    """Asks Toloka every `poll_seconds` until the pool is closed or `deadline` (ISO, aware) has passed, and logs how far
    it is with its `images`, each for `overlap` workers.

    Fires {"state": "closed" | "deadline", "reason": Toloka's last_close_reason or null}. It keeps nothing, so it can be killed
    and started again.
    """

    def __init__(
        self, toloka_conn_id: str, pool_id: str, deadline: str, poll_seconds: float, images: int, overlap: int
    ) -> None:
        super().__init__()
        self.toloka_conn_id = toloka_conn_id
        self.pool_id = pool_id
        self.deadline = deadline
        self.poll_seconds = poll_seconds
        self.images = images
        self.overlap = overlap

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "driftwatch_airflow.triggers.annotation.AnnotationCompleteTrigger",
            {
                "toloka_conn_id": self.toloka_conn_id,
                "pool_id": self.pool_id,
                "deadline": self.deadline,
                "poll_seconds": self.poll_seconds,
                "images": self.images,
                "overlap": self.overlap,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        from driftwatch.annotation.collect import progress

        hook = TolokaHook(self.toloka_conn_id)
        client = await asyncio.to_thread(hook.get_conn)
        deadline = datetime.fromisoformat(self.deadline)
        while True:
            pool = await asyncio.to_thread(client.get_pool, self.pool_id)
            if not pool.is_open():
                reason = pool.last_close_reason.value if pool.last_close_reason else None
                yield TriggerEvent({"state": "closed", "reason": reason})
                return
            if timezone.utcnow() >= deadline:
                yield TriggerEvent({"state": "deadline", "reason": None})
                return
            done = await asyncio.to_thread(progress, client, self.pool_id, self.images, self.overlap)
            self.log.info("Pool %s: %s; asking again in %s s", self.pool_id, done["text"], self.poll_seconds)
            await asyncio.sleep(self.poll_seconds)
