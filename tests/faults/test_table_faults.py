"""A database of labels that is away, locked, or asked wrongly, at each task that asks it, once and for ever: the same day in the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.providers.common.sql.hooks.sql import DbApiHook
from airflow.sdk.exceptions import TaskDeferred
from tests.driftwatch.labels.table_days import DAY, answered_day, by_table, rows_of
from tests.driftwatch.labels.table_days import files_of as images_of

from driftwatch.artifacts.label_table import LabelTable
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import NeedsAttention
from driftwatch.labels.table import labels_until
from driftwatch_airflow.operators import label_table
from driftwatch_airflow.operators.label_table import FollowLabelsOperator, MergeTableOperator, WaitForTableOperator

from .matrix import ASKED_AGAIN, REPAIRED, RETRIED

pytestmark = [pytest.mark.all_faults, pytest.mark.slow, pytest.mark.timeout(600)]
WAIT_DAYS = 30
QUERY = {"path": None, "query": "select file, truth from found where day = :day", "connection": "truth_db"}
TASKS = {
    "wait_for_annotations": WaitForTableOperator,
    "merge_annotations": MergeTableOperator,
    "follow_labels": FollowLabelsOperator,
}


class Database:
    """A real SQLite file with the truth of every image. Each fault lasts as long as its context."""

    def __init__(self, path: Path, day: DayStore) -> None:
        self.path = path
        rows = rows_of(images_of(day))
        with self.connection() as found:
            found.execute("create table found (day text, file text, truth text)")
            found.executemany("insert into found values (?, ?, ?)", [(str(DAY), *row) for row in rows.to_numpy()])

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        found = sqlite3.connect(self.path, timeout=0)
        with found:
            yield found
        found.close()

    @contextmanager
    def away(self) -> Iterator[None]:
        moved = self.path.rename(self.path.with_name("moved"))
        self.path.mkdir()
        yield
        self.path.rmdir()
        moved.rename(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self.connection() as other:
            other.execute("begin exclusive")
            yield

    @contextmanager
    def wrong(self) -> Iterator[None]:
        with self.connection() as found:
            found.execute("alter table found rename to moved")
        yield
        with self.connection() as found:
            found.execute("alter table moved rename to found")


FAULTS = {
    "unable to open": (Database.away, "unable to open database"),
    "locked": (Database.locked, "database is locked"),
    "no such table": (Database.wrong, "refuses labels.table.query: no such table: found. Correct the query"),
}


@pytest.fixture(autouse=True)
def no_faults_are_left() -> None:
    """No stand-in is needed here."""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> DayStore:
    return answered_day(by_table(f"file://{tmp_path_factory.mktemp('table')}", {"wait_days": WAIT_DAYS}, **QUERY))


@pytest.fixture
def database(day: DayStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    made = Database(tmp_path / "truth.db", day)

    class FileHook(DbApiHook):
        conn_name_attr = "sqlite_conn_id"
        placeholder = "?"

        def get_conn(self) -> sqlite3.Connection:
            return sqlite3.connect(made.path, timeout=0)

    monkeypatch.setenv("AIRFLOW_CONN_TRUTH_DB", "sqlite://truth")
    monkeypatch.setattr("airflow.sdk.Connection.get_hook", lambda _: FileHook(sqlite_conn_id="truth_db"))
    return made


class Run:
    """The tasks of the day that ask the database, one after the other."""

    def __init__(self, day: DayStore, patch: pytest.MonkeyPatch) -> None:
        self.day = day
        self.now = self.end = labels_until(DAY, WAIT_DAYS)
        patch.setattr(label_table, "utcnow", lambda: self.now)

    def task(self, name: str, called: str = "execute") -> None:
        ti = SimpleNamespace(xcom_push=lambda key, value: None)
        context = {"params": {}, "ti": ti, "outlet_events": {}}
        getattr(TASKS[name](task_id=name, monitor=self.day.config, day=str(DAY)), called)(context)

    def broken(self, name: str, end_fault: Callable[[], None], cause: str, for_ever: bool) -> str:
        """What becomes of a task that meets a fault."""
        self.now, said, final = self.end - timedelta(days=1), "", True
        try:
            self.task(name)
        except TaskDeferred as deferred:
            moment = deferred.trigger.serialize()[1]["moment"]
            assert moment == self.now + timedelta(minutes=10)
            if not for_ever:
                end_fault()
                self.task(name, "look")
                return ASKED_AGAIN
            self.now = self.end
            with pytest.raises(sqlite3.OperationalError) as raised:
                self.task(name, "look")
            said = str(raised.value)
        except (NeedsAttention, sqlite3.OperationalError) as error:
            said, final = str(error), for_ever or isinstance(error, NeedsAttention)
        assert cause in said
        end_fault()
        self.task(name)
        return REPAIRED if final else RETRIED

    def finished(self) -> dict[str, bytes]:
        keys = self.day.keys
        files = (keys.labels, keys.assignments, keys.performance, self.day.key(LabelTable))
        return {key: self.day.storage.read_bytes(key) for key in files}

    def forget(self) -> None:
        for key in self.finished():
            self.day.storage.delete(key)


@pytest.fixture
def run(day: DayStore, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(day, monkeypatch)


@pytest.mark.parametrize(
    "for_ever",
    [
        pytest.param(False, id="once"),
        pytest.param(True, id="for ever", marks=pytest.mark.all_faults("in the plain suite it lasts once")),
    ],
)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_database_of_labels_that_fails_ends_in_the_same_day(
    run: Run, database: Database, cell: Callable[[str, str, str], None], fault, for_ever
) -> None:
    for name in TASKS:
        run.task(name)
    wanted, (made, cause) = run.finished(), FAULTS[fault]
    for broken in TASKS:
        run.forget()
        for name in TASKS:
            if name != broken:
                run.task(name)
                continue
            with ExitStack() as stack:
                stack.enter_context(made(database))
                result = run.broken(name, stack.close, cause, for_ever)
        assert run.finished() == wanted, broken
        column = f"{fault}, {'for ever' if for_ever else 'once'}"
        cell(f"label-table {broken} labels.table.query", column, result)
        told_at_once = fault == "no such table" or for_ever
        assert result == (REPAIRED if told_at_once else RETRIED if broken == "merge_annotations" else ASKED_AGAIN)
