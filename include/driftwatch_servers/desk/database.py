"""The desk's database: Postgres, or an SQLite file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from driftwatch_servers.desk import tables

VARIABLE = "DRIFTWATCH_DESK_DATABASE"
_ONE_AT_A_TIME = 0x6465736B  # the lock under which servers that start together make the tables
_WRITES = "desk_writes"


class Database:
    """Opens the database of an SQLAlchemy URL, and makes its tables if it has none.

    Raises ValueError if it cannot be opened, or was made by a newer Driftwatch.
    """

    def __init__(self, url: str) -> None:
        self._one_writer: AbstractContextManager[object] = nullcontext()
        try:
            self._engine = _engine(sa.make_url(url))
            if self._engine.dialect.name == "sqlite":
                self._one_writer = threading.Lock()  # SQLite's own waiting sleeps, for longer and longer
            with self.writing() as connection:
                _make_tables(connection)
        except ArgumentError as error:
            raise ValueError(
                "--database is no address of a database: write sqlite:///desk.db or postgresql+psycopg2://user:password@host/name"
            ) from error
        except (SQLAlchemyError, ImportError, OSError) as error:
            said = str(getattr(error, "orig", error)).strip().splitlines()
            raise ValueError(
                f"--database: the database cannot be opened: {said[0] if said else type(error).__name__}; look whether it runs, "
                "and whether its address, user and password are right"
            ) from error

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that changes nothing."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that changes something, whole or not at all. SQLite has one of them at a time."""
        writes = {_WRITES: True}
        with self._one_writer, self._engine.connect().execution_options(**writes) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self._engine.dispose()


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=30)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        raise ArgumentError("neither Postgres nor an SQLite file")
    file = Path(str(url.database))
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    engine = sa.create_engine(url, connect_args={"timeout": 30}, pool_size=10, max_overflow=30)
    sa.event.listen(engine, "connect", _of_sqlite)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _of_sqlite(connection, _record) -> None:
    connection.isolation_level = None  # the transaction begins by _begin, not by the driver's own guess
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    # One that reads first and writes then could not begin to write while another one does.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_tables(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))
    if not sa.inspect(connection).has_table(tables.schema.name):
        tables.metadata.create_all(connection)
        connection.execute(tables.schema.insert().values(version=tables.VERSION))
    found = connection.scalar(sa.select(tables.schema.c.version))
    if found is None or found > tables.VERSION:
        raise OperationalError(
            "desk_schema",
            None,
            ValueError(
                f"its tables have version {found}, and this Driftwatch knows version {tables.VERSION}: a newer Driftwatch made them. "
                "Run the newer one"
            ),
        )
