"""Desks on SQLite; and on Postgres, where the machine has it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from driftwatch_sandbox.demo.postgres import postgres_binaries, running_postgres

from .desks import Desk, running_desk

_NUMBERS = itertools.count()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with running_desk(f"sqlite:///{tmp_path}/desk.db") as running:
        yield running


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    if postgres_binaries() is None:
        pytest.skip("Postgres is not installed (Debian: apt-get install postgresql)")
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/desk.db"
    server, name = sa.make_url(request.getfixturevalue("postgres")), f"desk{next(_NUMBERS)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.set(database=name).render_as_string(hide_password=False)
