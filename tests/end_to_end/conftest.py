"""A real Airflow with the stand-ins, a small trained champion, and a few delivered days, shared by the module's tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end import openlineage_events
from tests.end_to_end.site import Site
from tests.schemas import check_each_once_in

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_sandbox.demo import week
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


@pytest.fixture(scope="module")
def database() -> Iterator[str | None]:
    """The URL of an empty Postgres database; none, which is SQLite, where Postgres is not on this machine."""
    if postgres_binaries() is None:
        yield None
    else:
        with running_postgres() as url:
            yield url


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    database: str | None,
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
) -> Iterator[Site]:
    """A module may name its CROWD_SPEED: how many seconds of the crowd pass in one."""
    home = tmp_path_factory.mktemp("site")
    world = World(home, database, RARELY | JSON_LOGS | openlineage_events.settings(home))
    plan = SMALL if pytestconfig.getoption("--all-faults") else ONE_DAY
    monitor = week.write_monitor(world.monitors, ROOT / "include" / "monitors", plan)
    try:
        # In this process: each other one takes two seconds of CPU before its first photo.
        paths = write_photos(home / "photos", dict.fromkeys(monitor.classes, -(-plan.photos // 2)), seed=11)
        photos = [week.Photo(path, path.parent.name) for path in paths]
        week.Camera(world.storage, MonitorKeys(monitor.name), world.truth, photos, plan).deliver()
        world.start_stand_ins(getattr(request.module, "CROWD_SPEED", 400.0))
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
