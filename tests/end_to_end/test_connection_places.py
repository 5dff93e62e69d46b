"""A day whose connections are in one place alone: the environment, Airflow's database, a file that Airflow's own backend reads, a team's own
backend. The step that waits looks them up in the triggerer. One that the triggerer lacks is told before a pool is bought.

It starts Airflow five times, so `make test` leaves it out: `make test-faults` runs it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from tests.end_to_end import light_site
from tests.end_to_end.site import Site
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.world import AIRFLOW_SERVERS, ROOT, World

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.all_faults("it starts Airflow five times"),
]

PLACES = ("environment", "database", "file", "own")
# A team's own backend. It notes who asked, for the test.
OWN = """
import json, os, sys
from pathlib import Path

from airflow.sdk.bases.secrets_backend import BaseSecretsBackend


class Vault(BaseSecretsBackend):
    def __init__(self, folder):
        super().__init__()
        self.folder = Path(folder)

    def get_conn_value(self, conn_id, team_name=None):
        with (self.folder / "asked").open("a") as file:
            file.write(f"{conn_id} {' '.join(sys.argv)}\\n")
        path = self.folder / f"{conn_id}.json"
        return path.read_text() if path.exists() else None
"""


class House(World):
    """A world whose connections are where the test puts them. `place`: where that is. `blind`: the triggerer has none of them."""

    place, blind = "environment", False

    def _connections(self) -> dict[str, dict[str, Any]]:
        return self.all_connections() if self.place == "environment" else {}

    def all_connections(self) -> dict[str, dict[str, Any]]:
        return {f"{name}": fields for name, fields in super()._connections().items()}

    def begin(self) -> None:
        """Starts everything."""
        self.start_stand_ins()
        for name, command in AIRFLOW_SERVERS.items():
            env = dict(self.env)
            if name == "triggerer" and self.blind:
                env = {key: value for key, value in env.items() if not key.startswith("AIRFLOW_CONN_")}
            self.processes.start(name, command, env)
        self.wait_until_ready()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Iterator[tuple[House, Any]]:
    home = tmp_path_factory.mktemp("house")
    world = House(home, database)
    monitor = week.write_monitor(world.monitors, ROOT / "include" / "monitors", light_site.PLAN)
    keys = MonitorKeys(monitor.name)
    light_site.deliver(world.storage, keys, monitor.classes, week.DAYS, world.truth)
    migrating = threading.Thread(target=world.prepare_airflow)
    migrating.start()
    store = monitor_store(open_storage(f"file://{world.storage}"), keys, monitor)
    light_site.first_champion(store, home / "model.onnx")
    migrating.join()
    folder = home / "vault"
    folder.mkdir()
    (folder / "house_vault.py").write_text(OWN)
    yield world, monitor
    world.stop()


@contextmanager
def airflow(house: tuple[House, Any], place: str, blind: bool = False) -> Iterator[Site]:
    """Airflow with its connections in that place alone."""
    world, monitor = house
    folder = world.home / "vault"
    found = {name.lower(): json.dumps(fields) for name, fields in world.all_connections().items()}
    world.place, world.blind, world.settings = place, blind, {"PYTHONPATH": str(folder)}
    if place == "file":
        (folder / "connections.json").write_text(json.dumps({name: json.loads(text) for name, text in found.items()}))
        world.settings |= backend(
            "airflow.secrets.local_filesystem.LocalFilesystemBackend",
            connections_file_path=str(folder / "connections.json"),
        )
    if place == "own":
        for name, text in found.items():
            (folder / f"{name}.json").write_text(text)
        world.settings |= backend("house_vault.Vault", folder=str(folder))
    if place == "database":
        for name, text in found.items():
            world.processes.run("connections", ["airflow", "connections", "add", name, "--conn-json", text], world.env)
    try:
        world.begin()
        site = Site(world, monitor)
        site.api.wait_for_dags([monitor.monitoring_dag_id])
        yield site
    finally:
        world.stop()
        if place == "database":
            for name in found:
                world.processes.run("connections", ["airflow", "connections", "delete", name], world.env)


def backend(path: str, **arguments: str) -> dict[str, str]:
    return {"AIRFLOW__SECRETS__BACKEND": path, "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(arguments)}


@pytest.mark.parametrize("place", PLACES)
def test_a_day_ends_well_with_its_connections_in_one_place_alone(house, place):
    day: date = week.DAYS[PLACES.index(place)]
    with airflow(house, place) as site:
        assert site.run(site.monitor.monitoring_dag_id, f"{place}__{day}", day) == "success"
        keys = site.layout.day(day)
        plan = site.storage.read_json(keys.annotation)
        assert site.storage.read_json(keys.performance)["labels"] > 0
        # The triggerer writes how far the pool is into the storage.
        assert plan["progress"]["answers"] == plan["progress"]["answers_wanted"]
        assert [pool["id"] for pool in site.toloka()["pools"]].count(plan["pool_id"]) == 1
    if place == "own":
        asked = (house[0].home / "vault" / "asked").read_text()
        assert any(line.startswith("toloka_default") and "triggerer" in line for line in asked.splitlines()), asked


def test_a_connection_that_the_triggerer_lacks_fails_the_step_before_a_pool_is_bought(house):
    day = week.DAYS[len(PLACES)]
    with airflow(house, "environment", blind=True) as site:
        before = site.toloka()
        dag_id = site.monitor.monitoring_dag_id
        assert site.run(dag_id, f"blind__{day}", day) == "failed"
        (step,) = (
            task for task in site.api.tasks(dag_id, f"blind__{day}") if task["task_id"] == "create_annotation_pool"
        )
        assert (step["state"], step["try_number"]) == ("failed", 1)
        said = site.api.log(dag_id, f"blind__{day}", "create_annotation_pool", 1)
        assert "in the triggerer there is no Airflow connection 'toloka_default'" in said
        assert site.toloka() == before
