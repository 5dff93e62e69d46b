"""Asking a database for labels: the day is bound and never written into the query, whatever the driver's placeholders are."""

from __future__ import annotations

import json
import sqlite3
from datetime import date

import pytest
from airflow.providers.common.sql.hooks.sql import DbApiHook

from driftwatch.config.label_table import LabelTableConfig
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.label_table import _ask_connection, rows_of_query
from driftwatch_sandbox.demo.postgres import postgres_binaries, running_postgres

DAY = date(2026, 1, 31)
ROWS = [("2026-01-31", "a.jpg", "cat"), ("2026-02-01", "b.jpg", "dog"), ("2026-02-02", "50 %.jpg", "dog")]
QUERY = "select file, truth from found where day >= :day and day <= :next_day order by file"


class SqliteHook(DbApiHook):
    """Airflow's hook over a database in memory; its placeholder is `?`."""

    conn_name_attr = "sqlite_conn_id"
    placeholder = "?"

    def __init__(self) -> None:
        super().__init__(sqlite_conn_id="truth")
        self.database = sqlite3.connect(":memory:")
        self.database.execute("create table found (day text, file text, truth text)")
        self.database.executemany("insert into found values (?, ?, ?)", ROWS)
        self.statements: list[str] = []
        self.database.set_trace_callback(self.statements.append)

    def get_conn(self):
        return self.database

    def get_autocommit(self, conn):
        return True

    def run(self, sql, **kwargs):
        self.asked = (sql, kwargs["parameters"])
        return super().run(sql, **kwargs)


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setattr("airflow.providers.common.sql.hooks.sql.closing", _left_open)
    return SqliteHook()


class _left_open:
    """In the place of `closing`: the database in memory is asked again."""

    def __init__(self, what):
        self.what = what

    def __enter__(self):
        return self.what

    def __exit__(self, *_):
        return None


def test_the_days_are_bound_in_the_order_in_which_they_stand(hook):
    found = rows_of_query(hook, QUERY, DAY)
    assert found == [{"file": "a.jpg", "truth": "cat"}, {"file": "b.jpg", "truth": "dog"}]
    sql, bound = hook.asked
    assert (sql.count("?"), bound) == (2, ["2026-01-31", "2026-02-01"])
    assert "2026" not in sql


def test_a_query_without_a_day_is_asked_as_it_is(hook):
    assert len(rows_of_query(hook, "select file from found where file like '%.jpg'", DAY)) == 3
    assert hook.asked == ("select file from found where file like '%.jpg'", None)
    assert rows_of_query(hook, "select file from found where day > '2027'", DAY) == []


def settings(query: str) -> LabelTableConfig:
    return LabelTableConfig.model_validate(
        {"covers": "all", "query": query, "connection": "truth_db", "columns": {"key": "file", "label": "truth"}}
    )


@pytest.mark.skipif(postgres_binaries() is None, reason="Postgres is not on this machine (apt-get install postgresql)")
def test_postgres_is_asked_through_its_airflow_connection(monkeypatch):
    psycopg2 = pytest.importorskip("psycopg2")
    with running_postgres() as url:
        address = url.replace("+psycopg2", "")
        database = psycopg2.connect(address)
        with database, database.cursor() as cursor:
            cursor.execute("create table found (day date, file text, truth text)")
            cursor.executemany("insert into found values (%s, %s, %s)", ROWS)
        database.close()
        monkeypatch.setenv("AIRFLOW_CONN_TRUTH_DB", address)
        query = "select file, truth from found where day between :day and :next_day and file like '%.jpg' and day::text <> '' order by file"
        found = _ask_connection(settings(query), DAY)
        with pytest.raises(NeedsAttention, match=r'refuses labels\.table\.query: column "fiel" does not exist'):
            _ask_connection(settings("select fiel from found where day = :day"), DAY)
    assert found == [{"file": "a.jpg", "truth": "cat"}, {"file": "b.jpg", "truth": "dog"}]


@pytest.fixture
def of_sqlite(monkeypatch, tmp_path):
    """The Airflow connection leads to a real file of SQLite, which this returns."""
    path = tmp_path / "truth.db"
    with sqlite3.connect(path) as database:
        database.execute("create table found (day text, file text, truth text)")
        database.executemany("insert into found values (?, ?, ?)", ROWS)
    database.close()

    class FileHook(DbApiHook):
        conn_name_attr = "sqlite_conn_id"
        placeholder = "?"

        def get_conn(self):
            return sqlite3.connect(path, timeout=0)

    monkeypatch.setenv("AIRFLOW_CONN_TRUTH_DB", "sqlite://truth")
    monkeypatch.setattr("airflow.sdk.Connection.get_hook", lambda _: FileHook(sqlite_conn_id="truth_db"))
    return path


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select file, truth from fuond where day = :day", "no such table: fuond"),
        ("select fiel, truth from found where day = :day", "no such column: fiel"),
        ("selct file, truth from found where day = :day", 'near "selct": syntax error'),
        ("select file, truth from found where day = 'unended", "unrecognized token"),
        ("select file, truth from found where day =", "incomplete input"),
        ("select basename(file) from found", "no such function: basename"),
    ],
)
def test_a_wrong_query_on_sqlite_is_told_as_one(of_sqlite, query, said):
    with pytest.raises(NeedsAttention, match=rf"refuses labels\.table\.query: {said}.*Correct the query"):
        _ask_connection(settings(query), DAY)


def test_a_sqlite_that_is_locked_or_cannot_be_opened_is_one_to_ask_again(of_sqlite):
    with sqlite3.connect(of_sqlite) as other:
        other.execute("begin exclusive")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _ask_connection(settings(QUERY), DAY)
    other.close()
    of_sqlite.rename(of_sqlite.with_name("moved"))
    of_sqlite.mkdir()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        _ask_connection(settings(QUERY), DAY)


def test_a_connection_that_is_no_database_and_one_that_is_not_there_are_named(monkeypatch):
    with pytest.raises(
        NeedsAttention, match=r"no Airflow connection 'truth_db', which labels\.table\.connection names"
    ):
        _ask_connection(settings(QUERY), DAY)
    monkeypatch.setenv("AIRFLOW_CONN_TRUTH_DB", json.dumps({"conn_type": "oracel", "host": "127.0.0.1"}))
    with pytest.raises(NeedsAttention, match=r"truth_db.* has the type 'oracel'.*install the Airflow provider"):
        _ask_connection(settings(QUERY), DAY)
    monkeypatch.setenv("AIRFLOW_CONN_TRUTH_DB", json.dumps({"conn_type": "http", "host": "http://127.0.0.1"}))
    with pytest.raises(NeedsAttention, match=r"truth_db.* is of no database that takes SQL"):
        _ask_connection(settings(QUERY), DAY)
