"""Waits in the triggerer for a pool to close."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent

from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.monitor import open_storage
from driftwatch_airflow.triggers.patience import pause

if TYPE_CHECKING:
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient
    from driftwatch.storage import Storage


class AnnotationCompleteTrigger(BaseTrigger):
    """Asks Toloka every `poll_seconds` until the pool is closed or `deadline` (ISO, aware) has passed.

    At each look it logs how far the pool is with its `images`, each for `overlap` workers, and what it has cost with the fee, and
    writes that to `progress_key` of the storage. A pool that has cost `max_cost` USD is closed: more pages than planned can be
    needed, but no day costs more than its limit.

    Fires {"state": "closed" | "deadline" | "over_budget", "reason": Toloka's last_close_reason or null}, or {"state": "refused",
    "reason": why} where asking again cannot help. A look that fails for a reason that may pass is logged with it, and the next comes
    later: the wait ends at the deadline, not before. It keeps nothing, so it can be killed and started again.
    """

    def __init__(
        self,
        *,
        toloka_conn_id: str,
        pool_id: str,
        deadline: str,
        poll_seconds: float,
        images: int,
        overlap: int,
        fee_share: float,
        max_cost: float,
        storage_uri: str,
        storage_connection: str | None,
        progress_key: str,
    ) -> None:
        super().__init__()
        self.toloka_conn_id = toloka_conn_id
        self.pool_id = pool_id
        self.deadline = deadline
        self.poll_seconds = poll_seconds
        self.images = images
        self.overlap = overlap
        self.fee_share = fee_share
        self.max_cost = max_cost
        self.storage_uri = storage_uri
        self.storage_connection = storage_connection
        self.progress_key = progress_key

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = (
            "toloka_conn_id",
            "pool_id",
            "deadline",
            "poll_seconds",
            "images",
            "overlap",
            "fee_share",
            "max_cost",
            "storage_uri",
            "storage_connection",
            "progress_key",
        )
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        from driftwatch.labels.backends.toloka.client import refusal

        deadline = datetime.fromisoformat(self.deadline)
        client: DriftwatchTolokaClient | None = None
        event: dict[str, Any] | None
        failures = 0
        while True:
            try:
                if client is None:
                    made = await asyncio.to_thread(TolokaHook(self.toloka_conn_id).get_conn)
                    client = made
                event = await asyncio.to_thread(self._look, client)
                failures = 0
            except Exception as error:  # whatever a network, a proxy or a secrets backend makes of its trouble
                refused = refusal(error)
                event = {"state": "refused", "reason": str(refused)} if refused else None
                client, failures = None, failures + 1
                self.log.warning("Pool %s: look %s failed in a row (%s: %s)", self.pool_id, failures, type(error).__name__, error)  # fmt: skip
            if event is None and timezone.utcnow() >= deadline:
                event = {"state": "deadline", "reason": None}
            if event is not None:
                yield TriggerEvent(event)
                return
            seconds = pause(self.poll_seconds, failures)
            self.log.info("Pool %s: asking again in %s s, until %s", self.pool_id, seconds, self.deadline)
            await asyncio.sleep(seconds)

    def _look(self, client: DriftwatchTolokaClient) -> dict[str, Any] | None:
        from driftwatch.labels.backends.toloka.collect import progress

        pool = client.get_pool(self.pool_id)
        if not pool.is_open():
            return {"state": "closed", "reason": pool.last_close_reason.value if pool.last_close_reason else None}
        done = progress(client, self.pool_id, self.images, self.overlap, self.fee_share)
        self.log.info("Pool %s: %s", self.pool_id, done["text"])
        keep_progress(
            lambda: open_storage(self.storage_uri, self.storage_connection), self.progress_key, done, self.log
        )
        if done["spent"] >= self.max_cost and done["answers"] < done["answers_wanted"]:
            self.log.warning(
                "Pool %s has cost %s USD, annotation.max_cost_per_day: closing it", self.pool_id, done["spent"]
            )
            client.close_pool_async(self.pool_id)
            return {"state": "over_budget", "reason": None}
        return None


def keep_progress(storage: Callable[[], Storage], key: str, done: dict[str, Any], log: Any) -> None:
    """Writes down how far the pool is. It only informs: a storage that is away does not end the wait."""
    try:
        storage().write_json(key, done)
    except Exception as error:
        log.warning(
            "%s was not written (%s: %s); the pool is waited for all the same", key, type(error).__name__, error
        )
