"""Waits in the triggerer for a pool to close."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from airflow.sdk import timezone
from airflow.triggers.base import BaseTrigger, TriggerEvent
from pydantic import AwareDatetime, Field

from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.label_backends import label_backend
from driftwatch_airflow.stores import storage_at
from driftwatch_airflow.triggers.patience import Wait, pause, rest

if TYPE_CHECKING:
    from driftwatch.artifacts.annotation import AnnotationProgress
    from driftwatch.labels.backends.base import LabelBackend, Pool


class PoolWait(Wait):
    """An open pool (the day's job for annotators). `overlap` annotators look at each of its `images`. It is closed when it has cost
    `max_cost` USD.

    `toloka_conn_id`: the Airflow connection of the `backend`, whichever service that is. `fee_share`: the service's fee, as a share of
    each reward. `control`, `price_per_hour` and `known`: as in `Pool`; `known` only where the service does not know which tasks are control
    tasks. `progress_key`: the key of the file in the storage that says how far the pool is. `renew_at`: when the image links must be
    renewed, if they end before the deadline. `ends`: the pool's end, as the service told it when the wait began.
    """

    backend: str = "toloka"
    toloka_conn_id: str
    pool_id: str
    images: int
    overlap: int
    fee_share: float
    control: int = 0
    price_per_hour: float = 0.0
    max_cost: float
    storage_uri: str
    storage_connection: str | None
    progress_key: str
    known: dict[str, str] = Field({})
    renew_at: AwareDatetime | None = None
    ends: AwareDatetime | None = None

    @property
    def pool(self) -> Pool:
        from driftwatch.labels.backends.base import Pool

        return Pool(
            self.pool_id, self.images, self.overlap, self.fee_share, self.control, self.price_per_hour, self.known
        )

    def label_backend(self) -> LabelBackend:
        return label_backend(self.toloka_conn_id, self.backend)

    def progress(self, backend: LabelBackend, log: Any) -> AnnotationProgress:
        """Asks how far the pool is and what it has cost. Writes that to the log and to `progress_key`.

        This only informs: the wait goes on if the storage cannot be written.
        """
        from driftwatch.artifacts import base

        done = backend.progress(self.pool)
        log.info("Pool %s: %s", self.pool_id, done.text)
        try:
            base.write(storage_at(self.storage_uri, self.storage_connection), self.progress_key, done)
        except Exception as error:
            log.warning(
                "%s was not written (%s: %s); the wait for the pool goes on",
                self.progress_key,
                type(error).__name__,
                error,
            )
        return done


class PoolEvent(TypedDict):
    """How the wait ended. `reason`: the service's close reason of a closed pool, or why asking was refused; null for the others. `renew`: it
    goes on once the image links are renewed. `moved`: it goes on until the pool's new end, which a person has set at the service."""

    state: Literal["closed", "deadline", "over_budget", "refused", "renew", "moved"]
    reason: str | None


class AnnotationCompleteTrigger(BaseTrigger):
    """Asks the annotation service every `poll_seconds` until the pool is closed or the deadline has passed.

    At each look it notes how far the pool is and what it has cost, fee included. A pool that has cost `max_cost` is closed: more pages
    (small groups of tasks) than planned can be needed, but no day costs more than its limit.

    Fires a `PoolEvent`: the pool is closed, its deadline has passed, it has cost its limit, its image links must be renewed, its end was moved,
    or asking again cannot help. A look that fails for a reason that may pass is logged, and the next one comes later: such a failure does not
    end the wait before the deadline.
    The trigger keeps nothing, so it can be killed and started again.

    :param wait: what is waited for.
    :param stored: instead of `wait`, its fields as Airflow's database keeps them.
    """

    def __init__(self, wait: PoolWait | None = None, **stored: Any) -> None:
        super().__init__()
        self.wait = wait or PoolWait(**stored)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{type(self).__module__}.{type(self).__qualname__}", self.wait.stored()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await rest()
        wait, failures = self.wait, 0
        backend = await asyncio.to_thread(wait.label_backend)
        event: PoolEvent | None
        while True:
            try:
                event = await asyncio.to_thread(self._look, backend)
                failures = 0
            except Exception as error:  # a network, a proxy or a secrets backend may raise anything
                refused = await asyncio.to_thread(backend.refusal, error)
                event = {"state": "refused", "reason": str(refused)} if refused else None
                # The next look reads the connection anew: somebody may have corrected it.
                backend, failures = await asyncio.to_thread(wait.label_backend), failures + 1
                self.log.warning("Pool %s: look %s failed in a row (%s: %s)", wait.pool_id, failures, type(error).__name__, error)  # fmt: skip
            if event is None and timezone.utcnow() >= wait.deadline:
                event = {"state": "deadline", "reason": None}
            if event is None and wait.renew_at is not None and timezone.utcnow() >= wait.renew_at:
                event = {"state": "renew", "reason": None}
            if event is not None:
                yield TriggerEvent(event)
                return
            seconds = pause(wait.poll_seconds, failures)
            self.log.info("Pool %s: asking again in %s s, until %s", wait.pool_id, seconds, wait.deadline)
            await asyncio.sleep(seconds)

    def _look(self, backend: LabelBackend) -> PoolEvent | None:
        wait = self.wait
        state = backend.look(wait.pool)
        if not state.is_open:
            return {"state": "closed", "reason": state.close_reason}
        done = wait.progress(backend, self.log)
        if done.spent >= wait.max_cost and done.answers < done.answers_wanted:
            log_decision(
                self.log,
                "pool_closed_at_limit",
                f"Pool {wait.pool_id} has cost {done.spent} USD, labels.max_cost_per_day: closing it",
                level=logging.WARNING,
                monitor=wait.progress_key.partition("/")[0],
                pool_id=wait.pool_id,
                spent=done.spent,
                max_cost=wait.max_cost,
                answers=done.answers,
            )
            backend.close(wait.pool)
            return {"state": "over_budget", "reason": None}
        if wait.ends is not None and state.ends != wait.ends:
            return {"state": "moved", "reason": None}
        return None
