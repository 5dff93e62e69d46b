"""Airflow connections for commands that run outside of tasks, such as `driftwatch champion import`. The domain finds this by its entry point.

It imports Airflow only when it is called: most commands need no connection.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftwatch.credentials import Access


def as_a_server() -> None:
    """Outside a task Airflow's SDK asks Airflow's database for connections only where it is told to. Call this before Airflow is imported."""
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")


def server_access(connection: str, needed_by: str) -> Access:
    """See `driftwatch.credentials.server_access`."""
    as_a_server()
    from driftwatch_airflow.connections import server_of

    return server_of(connection, needed_by)
