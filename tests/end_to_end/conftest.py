"""A real Airflow with the stand-ins, a small trained champion, and a few delivered days, shared by the module's tests."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.end_to_end import openlineage_events
from tests.schemas import check_each_once_in

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.postgres import postgres_binaries, running_postgres
from driftwatch_sandbox.demo.world import ROOT, World
from driftwatch_sandbox.photos import write_photos

SMALL = replace(
    week.DRAWN,
    training=200,
    per_day=(54, *(24,) * 6),  # the first day, which every run takes in, is enough to be accepted as usual
    overrides={
        "segments": {"shift": {"key": "^door-([01])"}},  # the name's first digit is of the hour
        "labels": {"sample_size": 20, "control_tasks": 12},
        "model": {"input_size": 64, "recipe": {"width": 12}},
        "performance": {"min_labels": 10},
        "retraining": {"min_new_labels": 10, "min_evaluation_labels": 5},
    },
)
ONE_DAY = replace(SMALL, per_day=(54, *(1,) * 6))  # the plain suite runs the first day alone
# What Airflow does again and again takes a tenth of a core for as long as it runs.
RARELY = {
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "1",
}
# `driftwatch_airflow.test_decisions` has the plain logs.
JSON_LOGS = {"AIRFLOW__LOGGING__JSON_LOGS": "True"}


class Site:
    """The running site and what a test asks of it."""

    def __init__(self, world: World, monitor: Any) -> None:
        self.world, self.monitor = world, monitor
        self.layout = MonitorKeys(monitor.name)
        self.storage = open_storage(f"file://{world.storage}")
        self.api = AirflowApi(world.url("airflow"), "admin", world.secrets.password)

    def follow(self, dag_id: str, run_id: str, seconds: float = 900) -> str:
        """The run's state once it has ended."""
        end = time.monotonic() + seconds
        while (state := self.api.run_state(dag_id, run_id)) not in ("success", "failed"):
            assert time.monotonic() < end, (run_id, state, self.states(dag_id, run_id))
            self.world.processes.check()
            time.sleep(2)  # each look costs the api-server more than a task's own
        return str(state)

    def states(self, dag_id: str, run_id: str) -> dict[str, str]:
        return {task["task_id"]: task["state"] for task in self.api.tasks(dag_id, run_id)}

    def run(self, dag_id: str, run_id: str, logical_day: Any = None, **conf: Any) -> str:
        self.api.trigger(dag_id, run_id, f"{logical_day}T00:00:00Z" if logical_day else None, conf)
        return self.follow(dag_id, run_id)

    def question(self, dag_id: str, run_id: str, task_id: str, seconds: float = 120) -> dict[str, Any]:
        """What a human-in-the-loop task asks, once it does."""
        end = time.monotonic() + seconds
        while (state := self.states(dag_id, run_id).get(task_id)) != "awaiting_input":
            assert time.monotonic() < end, (state, self.states(dag_id, run_id))
            self.world.processes.check()
            time.sleep(0.5)
        # Nobody reads in less. The scheduler notes within a second that the task's process has ended; a task that is answered before that
        # is taken for one that failed, and asks again after a minute (Airflow 3.3).
        time.sleep(3)
        return self.api.question(dag_id, run_id, task_id)

    def airflow(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of Airflow's CLI."""
        return subprocess.run(["airflow", *arguments], env=self.world.env, capture_output=True, text=True, timeout=120)

    def toloka(self) -> dict[str, Any]:
        headers = {"Authorization": f"OAuth {self.world.secrets.toloka_token}"}
        return httpx.get(f"{self.world.url('toloka')}/_sandbox/state", headers=headers).raise_for_status().json()

    def whylabs(self) -> dict[str, Any]:
        headers = {"X-API-Key": self.world.secrets.whylabs_key}
        return httpx.get(f"{self.world.url('whylabs')}/_sandbox/state", headers=headers).raise_for_status().json()

    def artifacts(self, day: Any) -> dict[str, str]:
        """The hash of each of the day's artifacts."""
        folder = f"{self.layout.days}/{day}"
        return {
            item.key: hashlib.sha256(self.storage.read_bytes(item.key)).hexdigest()
            for item in self.storage.list(folder)
        }


@pytest.fixture(scope="module")
def database() -> Iterator[str | None]:
    """The URL of an empty Postgres database; none, which is SQLite, where Postgres is not on this machine."""
    if postgres_binaries() is None:
        yield None
    else:
        with running_postgres() as url:
            yield url


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database: str | None, pytestconfig: pytest.Config) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    world = World(home, database, RARELY | JSON_LOGS | openlineage_events.settings(home))
    plan = SMALL if pytestconfig.getoption("--all-faults") else ONE_DAY
    monitor = week.write_monitor(world.monitors, ROOT / "include" / "monitors", plan)
    try:
        # In this process: each other one takes two seconds of CPU before its first photo.
        paths = write_photos(home / "photos", dict.fromkeys(monitor.classes, -(-plan.photos // 2)), seed=11)
        photos = [week.Photo(path, path.parent.name) for path in paths]
        week.Camera(world.storage, MonitorKeys(monitor.name), world.truth, photos, plan).deliver()
        world.start_stand_ins()
        (path,) = world.monitors.iterdir()
        migrating = threading.Thread(target=world.prepare_airflow)
        migrating.start()
        train_champion(world, path)
        migrating.join()
        check_each_once_in(home / "airflow")
        world.start_airflow()
        world.wait_until_ready()
        found = Site(world, monitor)
        found.api.wait_for_dags([monitor.monitoring_dag_id, monitor.retraining_dag_id])
        yield found
    finally:
        world.processes.stop()


def train_champion(world: World, monitor_file: Path) -> None:
    """`driftwatch champion train` here, where TensorFlow is imported already: another process takes ten seconds of CPU for that."""
    from driftwatch.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRIFTWATCH_STORAGE", f"file://{world.storage}")
        assert not main(["champion", "train", str(monitor_file), "--epochs", "3"])


@pytest.fixture(scope="session")
def days() -> list[Any]:
    return week.DAYS
