"""What the watch does with its findings: whom it tells, once, and what stops it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.core_api.datamodels.dag_run import DAGRunResponse
from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import AirflowSkipException
from fastapi import FastAPI, Response
from tests.driftwatch.artifacts import samples
from tests.stores import SMALLEST

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import DriftwatchError
from driftwatch.storage import open_storage
from driftwatch_airflow import watch
from driftwatch_airflow.alerts import NotTold
from driftwatch_airflow.operators import watch as steps
from driftwatch_servers.serving import running

AT = datetime(2026, 1, 23, 13, tzinfo=timezone.utc)
SENT: list[str] = []


class Mailbox(BaseNotifier):
    """Keeps the subjects that it is sent."""

    template_fields: Sequence[str] = ("subject",)

    def __init__(self, subject: str = "{{ alert.subject }}") -> None:
        super().__init__()
        self.subject = subject

    def notify(self, context: Any) -> None:
        SENT.append(self.subject)


class Broken(BaseNotifier):
    def notify(self, context: Any) -> None:
        raise ConnectionError("no mail server")


class Airflow:
    """What a task asks Airflow: which DAGs are paused, and Variables."""

    def __init__(self) -> None:
        self.paused: set[str] = set()
        self.variables: dict[str, str] = {}

    def get_dag(self, dag_id: str) -> Any:
        return SimpleNamespace(is_paused=dag_id in self.paused)

    def get(self, key: str, default: Any = None) -> Any:
        return self.variables.get(key, default)

    def set(self, key: str, value: str) -> None:
        self.variables[key] = value


@pytest.fixture
def airflow(monkeypatch) -> Airflow:
    found = Airflow()
    for name in ("get", "set"):
        monkeypatch.setattr(f"airflow.sdk.Variable.{name}", getattr(found, name))
    return found


class World:
    """A folder of monitor files and a storage, at which the watch looks."""

    def __init__(self, home: Path, airflow: Airflow) -> None:
        self.home, self.airflow = home, airflow
        (home / "monitors").mkdir()

    def put(self, name: str = "demo", notifier: str = "Mailbox", file: str = "", **changes: Any) -> None:
        told = [{"notifier": f"{__name__}.{notifier}"}] if notifier else []
        uri = f"file://{self.home}/storage"
        raw = {**SMALLEST, "name": name, "storage": {"uri": uri}, "notifiers": told, **changes}
        (self.home / f"monitors/{file or name}.yaml").write_text(yaml.safe_dump(raw))

    def sound(self, name: str = "demo") -> MonitorKeys:
        """A champion, and a day with a verdict."""
        storage, keys = open_storage(f"file://{self.home}/storage"), MonitorKeys(name)
        storage.write_json(keys.model_card(samples.VERSION), samples.CARD)
        storage.write_json(keys.champion, {"version": samples.VERSION})
        storage.write_bytes(keys.model(samples.VERSION), b"model")
        storage.write_json(keys.day(date(2026, 1, 20)).ingest, samples.INGEST)
        storage.write_json(keys.day(date(2026, 1, 20)).performance, samples.PERFORMANCE)
        return keys

    def hour(self, hours: float = 0) -> list[str]:
        """What is sent by a look so many hours after AT, the problems too."""
        SENT.clear()
        run = SimpleNamespace(run_after=AT + timedelta(hours=hours), dag_id="driftwatch_watch", run_id="r")
        context: Any = {"ti": self.airflow, "dag_run": run}
        looked = steps.LookAtMonitorsOperator(task_id="look").execute(context)
        try:
            steps.TellFindingsOperator(task_id="tell", looked=looked).execute(context)
        except NotTold as error:
            return [*SENT, str(error)]
        return [*SENT]


@pytest.fixture
def world(tmp_path, airflow, monkeypatch) -> World:
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or __import__(__name__))
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path / "monitors"))
    return World(tmp_path, airflow)


def test_a_finding_is_told_once_and_its_end_too(world):
    world.put()
    keys = world.sound()
    assert world.hour() == []
    world.airflow.paused = {"demo_monitoring"}
    assert world.hour(1) == ["[demo] demo_monitoring is paused"]
    assert world.hour(1) == world.hour(2) == []
    world.airflow.paused = set()
    assert world.hour(3) == ["[demo] No DAG is paused any more"]
    assert world.hour(3) == world.hour(4) == []
    storage = open_storage(f"file://{world.home}/storage")
    assert not storage.exists(keys.watch_probe)


def test_a_monitor_whose_days_are_over_may_be_paused(world):
    world.put(schedule={"start_date": "2026-01-01", "end_date": "2026-01-20"})
    world.sound()
    world.airflow.paused = {"demo_monitoring"}
    assert world.hour() == []


def test_a_task_that_was_killed_before_it_wrote_its_notes_tells_nobody_twice(world):
    world.put()
    keys = world.sound()
    assert world.hour() == []
    storage = open_storage(f"file://{world.home}/storage")
    before = storage.read_bytes(keys.watch)
    world.airflow.paused = {"demo_monitoring"}
    assert len(world.hour(1)) == 1
    storage.write_bytes(keys.watch, before)
    assert world.hour(1) == []


def test_a_notifier_that_fails_is_tried_again_and_keeps_nothing_from_the_others(world):
    world.put("broken", "Broken")
    world.put()
    for name in ("broken", "demo"):
        world.sound(name)
    world.airflow.paused = {"demo_monitoring", "broken_monitoring"}
    told, problem = world.hour()
    assert told == "[demo] demo_monitoring is paused"
    assert "broken: 1 of the messages could not be told" in problem
    world.put("broken")
    assert world.hour(1) == ["[broken] broken_monitoring is paused"]


def test_a_monitor_without_notifiers_is_looked_at_and_nothing_is_written_about_it(world):
    world.put(notifier="")
    keys = world.sound()
    world.airflow.paused = {"demo_monitoring"}
    assert world.hour() == []
    storage = open_storage(f"file://{world.home}/storage")
    assert not storage.exists(keys.watch)
    assert not [*storage.list(keys.watch_outbox)]


def test_a_refused_file_is_told_by_its_own_notifiers_while_these_can_be_read(world):
    world.put()
    world.sound()
    assert world.hour() == []
    world.put(performance={"flor": 0.7})
    assert world.hour(1) == ["[demo] 1 monitor file refused: demo.yaml"]
    assert world.hour(2) == []
    world.put()
    assert world.hour(3) == ["[demo] No monitor file is refused any more"]


def test_else_by_those_of_the_first_monitor_and_without_any_it_is_a_problem(world):
    (world.home / "monitors/bad.yaml").write_text("name: [")
    (problem,) = world.hour()
    assert "1 problems: " in problem
    assert "bad.yaml: cannot be read as YAML" in problem
    world.put()
    world.sound()
    assert world.hour(1) == ["[demo] 1 monitor file refused: bad.yaml"]


def test_a_file_with_the_name_of_another_monitor_is_told_once_too(world):
    world.put()
    world.put(file="second")
    world.sound()
    assert world.hour() == ["[demo] 1 monitor file refused: second.yaml"]
    assert world.hour(1) == []


def test_a_storage_that_cannot_be_written_is_told_once_though_it_can_keep_no_note(world):
    world.put()
    world.put("other", storage={"uri": f"file://{world.home}/gone"})
    (world.home / "gone").write_text("a file where the folder belongs")
    world.sound()
    assert world.hour() == [f"[other] The storage file://{world.home}/gone/other cannot be written"]
    assert world.hour(1) == []
    (world.home / "gone").unlink()
    told = world.hour(2)
    assert "[other] The storage can be written again" in told
    assert world.airflow.variables[watch.UNWRITABLE_VARIABLE] == "{}"
    assert "[other] The storage can be written again" not in world.hour(3)


def test_of_two_notifiers_the_one_that_works_is_told_once_and_the_other_as_soon_as_it_works(world, monkeypatch):
    told = [{"notifier": f"{__name__}.{name}"} for name in ("Mailbox", "Broken")]
    world.put("other", storage={"uri": f"file://{world.home}/gone"}, notifiers=told)
    (world.home / "gone").write_text("a file where the folder belongs")
    first, problem = world.hour()
    assert first == f"[other] The storage file://{world.home}/gone/other cannot be written"
    assert "no mail server" in problem
    (problem,) = world.hour(1)
    assert "no mail server" in problem
    monkeypatch.setattr(Broken, "notify", lambda self, context: SENT.append(f"at last {context['alert'].subject}"))
    assert world.hour(2) == [f"at last {first}"]
    assert world.hour(3) == []


def test_a_monitor_that_cannot_be_looked_at_stops_no_other(world, monkeypatch):
    world.put("aaa")
    world.put()
    world.sound()
    real = watch.store_of

    def broken(monitor: Any) -> Any:
        if monitor.name == "aaa":
            raise RuntimeError("no such provider")
        return real(monitor)

    monkeypatch.setattr(watch, "store_of", broken)
    world.airflow.paused = {"demo_retraining"}
    told, problems = world.hour()
    assert told == "[demo] demo_retraining is paused"
    assert "aaa cannot be looked at: RuntimeError: no such provider" in problems


def test_airflow_calls_for_a_run_that_passed_its_deadline_and_the_watch_tells_nothing_more(world):
    world.put()
    keys = world.sound()
    storage = open_storage(f"file://{world.home}/storage")
    storage.delete(keys.day(date(2026, 1, 20)).performance)
    SENT.clear()
    run = {"dag_id": "demo_monitoring", "dag_run_id": "scheduled__2026-01-20"}
    assert {*run} <= {*DAGRunResponse.model_fields}  # by which Airflow describes the run in such a call
    deadline = {"id": "1", "deadline_time": "2026-01-23T12:00:05.3+00:00"}
    watch.day_is_late("demo", {"dag_run": run, "deadline": deadline})
    assert SENT == ["[demo] 1 day without a verdict: 2026-01-20"]
    assert world.hour() == []
    storage.write_json(keys.day(date(2026, 1, 20)).performance, samples.PERFORMANCE)
    assert world.hour(1) == ["[demo] No day is late any more"]


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[str], dict[str, int]]]:
    app, asked, answer = FastAPI(), [], {"status": 200}

    @app.get("/{path:path}")
    def ping(path: str) -> Response:
        asked.append(path)
        return Response(status_code=answer["status"])

    with running(app) as url:
        yield url, asked, answer


def test_the_ping_calls_its_address_and_says_nothing_of_it_when_it_fails(airflow, receiver, monkeypatch):
    url, asked, answer = receiver
    ping = steps.PingOperator(task_id="ping")
    with pytest.raises(AirflowSkipException, match="driftwatch_watch_ping_url"):
        ping.execute({})
    airflow.variables[steps.PING_VARIABLE] = f"{url}/5ec2e7"
    ping.execute({})
    assert asked == ["5ec2e7"]
    answer["status"] = 404
    with pytest.raises(DriftwatchError, match="HTTP 404: correct driftwatch_watch_ping_url") as raised:
        ping.execute({})
    assert "5ec2e7" not in str(raised.value)
