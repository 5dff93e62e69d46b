"""By what a monitor's table of the truth is read: another storage, or a database, each by its Airflow connection."""

from __future__ import annotations

import re
import sqlite3
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from driftwatch.config.label_table import BOUND, LabelTableConfig
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.connections import connection_of
from driftwatch_airflow.stores import storage_at

if TYPE_CHECKING:
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    from driftwatch.config import MonitorConfig
    from driftwatch.labels.table import Outside
    from driftwatch.storage import Storage

CONNECTION = "labels.table.connection"
# What a driver's error for a query that it will never take is called, or derived from (PEP 249).
WRONG_QUERY = "ProgrammingError"
# SQLite calls each of its errors an OperationalError. How those begin that may pass by themselves:
_SQLITE_IS_AWAY = re.compile(
    r"(database|database table|database schema) is locked|locking protocol|unable to open database|disk I/O error|database or disk is full|"
    "interrupted"
)


def outside_of(monitor: MonitorConfig) -> Outside:
    """What the monitor's table is read by. Nothing is connected before it is needed."""
    from driftwatch.labels.table import Outside

    return Outside(partial(_table_storage, monitor), _ask_connection)


def _table_storage(monitor: MonitorConfig, uri: str) -> Storage:
    table = monitor.labels.table
    return storage_at(uri, table.connection if table else None, CONNECTION)


def _ask_connection(settings: LabelTableConfig, day: date) -> list[dict[str, Any]]:
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    assert settings.query is not None
    connection = connection_of(str(settings.connection), CONNECTION)
    try:
        hook = connection.get_hook()  # connects to nothing yet
    except Exception as error:  # an unknown type, a provider that is not installed: whatever its hook raises
        raise NeedsAttention(
            f"the Airflow connection {settings.connection}, which {CONNECTION} names, has the type {connection.conn_type!r}, which "
            f"Airflow does not know here ({type(error).__name__}: {error}): install the Airflow provider of that database, or correct the type"
        ) from error
    if not isinstance(hook, DbApiHook):
        raise NeedsAttention(
            f"the Airflow connection {settings.connection}, which {CONNECTION} names, is of no database that takes SQL: name one of a "
            "database, such as type postgres"
        )
    try:
        return rows_of_query(hook, settings.query, day)
    except Exception as error:
        if not _is_wrong(error):
            raise
        raise NeedsAttention(
            f"the database refuses labels.table.query: {str(error).strip()}. Correct the query, or let the connection's user read what it names"
        ) from error


def _is_wrong(error: Exception) -> bool:
    """Whether the database will never take the query. Of any other error it may be that the database is away."""
    if isinstance(error, sqlite3.OperationalError):
        return not _SQLITE_IS_AWAY.match(str(error))
    return any(kind.__name__ == WRONG_QUERY for kind in type(error).__mro__)


def rows_of_query(hook: DbApiHook, query: str, day: date) -> list[dict[str, Any]]:
    """The rows, by the names of their columns. `:day` and `:next_day` become the driver's own placeholders, and the days are bound to
    them: they are never part of the text."""
    days = {"day": day.isoformat(), "next_day": (day + timedelta(days=1)).isoformat()}
    bound = [days[found[1]] for found in BOUND.finditer(query)]
    if bound and "%" in hook.placeholder:
        query = query.replace("%", "%%")
    sql = BOUND.sub(lambda _: hook.placeholder, query)
    found: Any = hook.run(sql, parameters=bound or None, handler=_by_name)
    return found or []


def _by_name(cursor: Any) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
