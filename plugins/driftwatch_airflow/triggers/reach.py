"""Says whether the triggerer has the connections by which it is to wait: it looks them up itself, not by a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypedDict

from airflow.triggers.base import BaseTrigger, TriggerEvent

from driftwatch_airflow.alerts import safe_to_tell
from driftwatch_airflow.connections import connection_of
from driftwatch_airflow.triggers.patience import rest


class ReachEvent(TypedDict):
    """What was found. `missing`: what to do about the connections that the triggerer has not, a sentence each. `failed`: why they could not be
    looked up, which may pass; null where they could."""

    missing: list[str]
    failed: str | None


class ReachTrigger(BaseTrigger):
    """Looks each connection up once, and fires a `ReachEvent`.

    :param connections: the setting that names each connection, by the connection.
    """

    def __init__(self, connections: Mapping[str, str]) -> None:
        super().__init__()
        self.connections = dict(connections)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{type(self).__module__}.{type(self).__qualname__}", {"connections": self.connections}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await rest()
        missing = []
        failed = None
        for connection, setting in self.connections.items():
            try:
                refused = await asyncio.to_thread(missing_connection, connection, setting)
            except Exception as error:  # Airflow's database or a secrets backend may raise anything
                failed = safe_to_tell(f"{type(error).__name__}: {error}")
                break
            if refused:
                missing.append(refused)
        yield TriggerEvent(ReachEvent(missing=missing, failed=failed))


def missing_connection(connection: str, setting: str) -> str | None:
    """What to do about a connection that is not there; None where it is."""
    from driftwatch.errors import NeedsAttention

    try:
        connection_of(connection, setting)
    except NeedsAttention as error:
        return str(error)
    return None
