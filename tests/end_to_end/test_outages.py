"""A part of Airflow is killed in the middle of a day, and Postgres is restarted: how long the day stands still, and that it ends as any other.

`make test-outages` runs it each night, and writes docs/benchmarks/outages.md.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.end_to_end import light_site
from tests.end_to_end.supervisor import Supervisor
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.postgres import PostgresServer, postgres_binaries, postgres_server
from driftwatch_sandbox.demo.world import ROOT, World

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow, pytest.mark.outages, pytest.mark.timeout(1800)]

POSTGRES = "Postgres"
# What is struck, in which step, and what that step is doing.
STRUCK = [
    ("triggerer", "wait_for_annotations", "deferred"),
    ("scheduler", "predict_labels", "running"),
    ("api-server", "predict_labels", "running"),
    ("dag-processor", "predict_labels", "running"),
    (POSTGRES, "predict_labels", "running"),
]
POSTGRES_IS_GONE = 8.0  # seconds between its end and its start, as a small upgrade takes
IMAGES = 24
OVER = ("success", "failed", "upstream_failed", "skipped")


@dataclass
class Row:
    """What was measured of a day. `stood`: seconds from the blow until the step that it met had ended well. `whole`: of the run."""

    part: str
    step: str
    doing: str
    stood: float | None
    tries: int
    whole: float
    restarted: list[str]


class Outages:
    """A running site with a supervisor, and what was measured on it."""

    def __init__(self, world: World, monitor: Any, supervisor: Supervisor, postgres: PostgresServer) -> None:
        self.world, self.monitor, self.supervisor, self.postgres = world, monitor, supervisor, postgres
        self.storage, self.layout = open_storage(f"file://{world.storage}"), MonitorKeys(monitor.name)
        self.api = AirflowApi(world.url("airflow"), "admin", world.secrets.password)
        self.rows: list[Row] = []
        self.states: dict[str, Any] = {}  # as they were last seen

    def task(self, run_id: str, step: str) -> dict[str, Any]:
        found = self.api.tasks(self.monitor.monitoring_dag_id, run_id)
        self.states = {task["task_id"]: (task["state"], task["try_number"]) for task in found}
        return next((task for task in found if task["task_id"] == step), {"state": None})

    def until(self, true: Callable[[], bool], seconds: float) -> None:
        """Asks again and again. Airflow may be away meanwhile."""
        end = time.monotonic() + seconds
        while True:
            with suppress(httpx.HTTPError):
                if true():
                    return
            assert time.monotonic() < end, self.states
            time.sleep(0.2)

    def strike(self, part: str) -> None:
        if part != POSTGRES:
            self.supervisor.kill(part)
            return
        self.postgres.stop()
        time.sleep(POSTGRES_IS_GONE)
        self.postgres.start()

    def toloka(self) -> dict[str, Any]:
        headers = {"Authorization": f"OAuth {self.world.secrets.toloka_token}"}
        return httpx.get(f"{self.world.url('toloka')}/_sandbox/state", headers=headers).raise_for_status().json()

    def whylabs(self, day: date) -> dict[str, Any]:
        headers = {"X-API-Key": self.world.secrets.whylabs_key}
        answer = httpx.get(f"{self.world.url('whylabs')}/_sandbox/state", headers=headers).raise_for_status()
        return answer.json()["datasets"]["model-1"]["days"][str(day)]


def as_in_compose() -> dict[str, str]:
    """What docker-compose.yaml tells the scheduler about tasks that give no sign."""
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    told = services["scheduler"]["environment"]
    return {name: value for name, value in told.items() if name.startswith("AIRFLOW__SCHEDULER__TASK_")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Outages]:
    if postgres_binaries() is None:
        pytest.skip("Postgres is not on this machine (Debian: apt-get install postgresql)")
    home = tmp_path_factory.mktemp("outages")
    with postgres_server() as postgres:
        world = World(home, postgres.url, as_in_compose())
        supervisor = Supervisor(world)
        try:
            monitor = week.write_monitor(world.monitors, ROOT / "include" / "monitors", light_site.PLAN)
            layout = MonitorKeys(monitor.name)
            light_site.deliver(world.storage, layout, monitor.classes, week.DAYS, world.truth)
            # Slow enough that people are still at work when the triggerer is killed, also on a slow machine.
            world.start_stand_ins(crowd_speed=2.0)
            migrating = threading.Thread(target=world.prepare_airflow)
            migrating.start()
            store = monitor_store(open_storage(f"file://{world.storage}"), layout, monitor)
            light_site.first_champion(store, home / "model.onnx")
            migrating.join()
            supervisor.start()
            world.wait_until_ready()
            found = Outages(world, monitor, supervisor, postgres)
            found.api.wait_for_dags([monitor.monitoring_dag_id])
            yield found
        finally:
            supervisor.stop()
            world.processes.stop()
    target = pytestconfig.getoption("--write-outages")
    if target and len(found.rows) == 1 + len(STRUCK):
        Path(target).write_text(page(found.rows, as_in_compose()))


def run_day(site: Outages, day: date, part: str, step: str, doing: str) -> Row:
    """Runs the day, and strikes a part in the middle, if one is named."""
    dag_id, run_id, calm = site.monitor.monitoring_dag_id, f"outage__{day}", not part
    before = dict(site.supervisor.restarts)
    site.api.trigger(dag_id, run_id, f"{day}T00:00:00Z", {})
    began, struck, stood = time.monotonic(), 0.0, None
    if not calm:
        site.until(lambda: site.task(run_id, step)["state"] in (doing, *OVER), 300)
        assert site.states[step][0] == doing, f"{step} was over before anybody looked: {site.states}"
        struck = time.monotonic()
        site.strike(part)
        site.until(lambda: site.task(run_id, step)["state"] == "success", 900)
        stood = time.monotonic() - struck
    site.until(lambda: site.api.run_state(dag_id, run_id) in ("success", "failed"), 900)
    whole = time.monotonic() - began
    tasks = site.api.tasks(dag_id, run_id)
    assert site.api.run_state(dag_id, run_id) == "success", [(task["task_id"], task["state"]) for task in tasks]
    again = [name for name, count in site.supervisor.restarts.items() if count > before[name]]
    return Row(part, step, doing, stood, sum(task["try_number"] > 1 for task in tasks), whole, again)


def ended_as_any_other(site: Outages, day: date, days_so_far: int) -> None:
    """One pool, one payment, one publish, and every image once."""
    keys = site.layout.day(day)
    plan, performance = site.storage.read_json(keys.annotation), site.storage.read_json(keys.performance)
    toloka = site.toloka()
    assert (len(toloka["projects"]), len(toloka["pools"])) == (1, days_so_far)
    (pool,) = [pool for pool in toloka["pools"] if pool["id"] == plan["pool_id"]]
    assert pool["real_tasks"] == 20
    assert 0 < pool["spent"] <= plan["cost"]["total"] + 1e-9
    assert site.storage.read_json(keys.ingest)["accepted"] == len(site.storage.read_table(keys.predictions)) == IMAGES
    uploads = site.storage.read_json(keys.published)["uploads"]
    sent = sorted((entry["kind"], entry["state"]) for entry in uploads if entry["sink"] == "whylabs")
    assert sent == [("features", "done"), ("performance", "done")]
    counted = site.whylabs(day)
    assert counted["columns"]["image.entropy"]["count"] == IMAGES
    assert sum(map(sum, counted["confusion"]["counts"])) == performance["labels"]


@pytest.mark.parametrize(
    ("number", "part", "step", "doing"),
    [(0, "", "", ""), *((number, *struck) for number, struck in enumerate(STRUCK, 1))],
    ids=["nothing", *(part for part, *_ in STRUCK)],
)
def test_a_day_goes_on_by_itself_and_ends_with_one_pool_one_payment_and_one_publish(site, number, part, step, doing):
    day = week.DAYS[number]
    row = run_day(site, day, part, step, doing)
    ended_as_any_other(site, day, number + 1)
    if part:
        assert row.restarted if part == POSTGRES else row.restarted == [part]
    site.rows.append(row)


def page(rows: list[Row], settings: dict[str, str]) -> str:
    calm, *struck = rows
    said = ", ".join(f"`{name}={value}`" for name, value in settings.items())
    lines = [
        f"| {row.part} | `{row.step}` was {row.doing} | {row.stood:.0f} | {row.whole:.0f} | {row.tries} | {', '.join(row.restarted)} |"
        for row in struck
    ]
    return f"""# How long a day stands still when a part of Airflow dies

Written by `make test-outages` on {datetime.now().astimezone():%Y-%m-%d}: LocalExecutor, Postgres, a day of {IMAGES} images, of which people label 20, with the package's own retries
and {said}, as in docker-compose.yaml. A server is killed with all its processes (`kill -9`) and started again at once, as Docker does. Postgres is ended
and started {POSTGRES_IS_GONE:.0f} s later; what ends because of that is started again too. Each day ended green with one pool, one payment and one publish, every image counted once.
The machine had {os.cpu_count()} cores and a load of {os.getloadavg()[2]:.0f} while it ran; read the seconds against those of the day that nothing struck.

| struck | while | seconds until that step had ended well | seconds of the whole day | steps tried again | what was started again |
|---|---|---|---|---|---|
| nothing | | | {calm.whole:.0f} | {calm.tries} | |
{chr(10).join(lines)}

A step that was running when its scheduler died is noticed by its missing sign of life, after `TASK_INSTANCE_HEARTBEAT_TIMEOUT`, and is tried again a minute later. A step
that could not reach the api-server ends, and is tried again a minute later. A waiting step loses no try: the next triggerer takes its wait over, and
its seconds have the people's own work in them.
"""
