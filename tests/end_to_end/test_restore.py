"""Backups restored into an empty place while the outside has gone on: a week continues, and nobody pays or publishes twice.

Toloka and WhyLabs are outside: no backup has them, and they know all that was bought and sent until the disaster.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.stores import monitor_store

from driftwatch.watch.late import due, late_days
from driftwatch_sandbox.demo.world import World

from . import backups
from .conftest import RARELY, Site

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.all_faults("it starts an Airflow for each backup"),
]
RUN = "in_the_middle"
CROWD_SPEED = 10.0  # people are still at work when the backup from the middle of the day is taken


def bought_and_sent(site: Site) -> dict[str, Any]:
    """Projects, pools, money, and what WhyLabs counts in each day."""
    toloka, whylabs = site.toloka(), site.whylabs()["datasets"]["model-1"]
    days = {
        day: {
            "images": {name: column["count"] for name, column in found["columns"].items()},
            "labelled": found["confusion"] and found["confusion"]["counts"],
            "uploads": len(found["upload_ids"]),
        }
        for day, found in whylabs["days"].items()
    }
    return {
        "projects": toloka["projects"],
        "pools": sorted((pool["id"], pool["status"], pool["last_close_reason"]) for pool in toloka["pools"]),
        "account": toloka["account"],
        "whylabs": days,
    }


@pytest.fixture(scope="module")
def kept(site: Site, days: list[Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Backups from before a day, from its middle, and from after it; and what was bought and sent by then."""
    folder, database = tmp_path_factory.mktemp("backups"), site.world.database
    dag_id, keys = site.monitor.monitoring_dag_id, site.layout.day(days[0])

    def take(name: str) -> backups.Backup:
        return backups.take(database, site.world.storage, folder / name)

    found: dict[str, Any] = {"early": take("early")}
    site.api.trigger(dag_id, RUN, f"{days[0]}T00:00:00Z", {})
    end = time.monotonic() + 900
    while site.states(dag_id, RUN).get("wait_for_annotations") != "deferred":
        assert time.monotonic() < end, site.states(dag_id, RUN)
        site.world.processes.check()
        time.sleep(0.3)
    found["middle"] = take("middle")
    assert site.follow(dag_id, RUN) == "success"
    found["late"] = take("late")
    of_day = found["middle"].storage / keys.labels
    assert not of_day.exists(), "people had answered before the backup was taken"
    assert (found["middle"].storage / keys.annotation).exists()
    found["labels"], found["outside"] = site.storage.read_bytes(keys.labels), bought_and_sent(site)
    site.world.stop()
    return found


@pytest.fixture
def restored(
    site: Site, kept: dict[str, Any], tmp_path: Any, request: pytest.FixtureRequest
) -> Iterator[Callable[[str, str], Site]]:
    """`restored(database, storage)`: Airflow in an empty place, with the database of one backup and the storage of another."""
    started: list[World] = []

    def start(database: str, storage: str) -> Site:
        old, home = site.world, tmp_path / "restored"
        (home / "airflow").mkdir(parents=True)
        # The configuration is kept with the backups; Toloka, its people and WhyLabs are where they were.
        for name in ("secrets.json", "ports.json", "truth.csv"):
            shutil.copyfile(old.home / name, home / name)
        shutil.copytree(old.monitors, home / "monitors")
        (home / "stand-ins").symlink_to(old.home / "stand-ins")
        shutil.copytree(kept[storage].storage, home / "storage")
        name = f"restored_{database}_{storage}"
        world = World(home, backups.restored_database(old.database, kept[database].database, name, home), RARELY)
        started.append(world)
        world.start_stand_ins()
        world.prepare_airflow()
        world.start_airflow()
        world.wait_until_ready()
        found = Site(world, site.monitor)
        found.api.wait_for_dags([site.monitor.monitoring_dag_id])
        assert bought_and_sent(found) == kept["outside"]
        return found

    try:
        yield start
    finally:
        for world in started:
            world.processes.stop()


def check_nothing_twice(site: Site, kept: dict[str, Any], day: Any) -> None:
    keys = site.layout.day(day)
    assert bought_and_sent(site) == kept["outside"]
    assert site.storage.read_bytes(keys.labels) == kept["labels"]
    assert {entry["state"] for entry in site.storage.read_json(keys.published)["uploads"]} <= {"done", "replaced"}
    assert late(site, day) == []


def late(site: Site, day: Any) -> list[Any]:
    """What the watch tells at the moment at which the day's verdict is due."""
    store = monitor_store(site.storage, site.layout, site.monitor)
    found = late_days(store, due(site.monitor, day), day)
    return [one.day for one in found.days] if found else []


def test_a_day_that_no_backup_has_is_run_again(restored, kept, days):
    site = restored("early", "early")
    assert site.run(site.monitor.monitoring_dag_id, "again", days[0]) == "success"
    check_nothing_twice(site, kept, days[0])


@pytest.mark.parametrize("storage", ["early", "middle"])
def test_a_day_that_only_airflow_holds_for_done_is_told_as_late_and_is_cleared(restored, kept, days, storage):
    """The database is newer than the storage."""
    site = restored("late", storage)
    dag_id, day = site.monitor.monitoring_dag_id, days[0]
    assert site.api.run_state(dag_id, RUN) == "success"
    assert late(site, day) == [day]
    cleared = site.airflow("tasks", "clear", "--yes", "--start-date", str(day), "--end-date", str(day), dag_id)
    assert cleared.returncode == 0, cleared.stderr[-2000:]
    end = time.monotonic() + 60
    while site.api.run_state(dag_id, RUN) == "success" and time.monotonic() < end:
        time.sleep(0.5)
    assert site.follow(dag_id, RUN) == "success"
    check_nothing_twice(site, kept, day)


@pytest.mark.parametrize("storage", ["late", "middle"])  # the second goes on to the next day, so it is the last
def test_a_day_in_its_middle_goes_on_by_itself(restored, kept, days, storage):
    """Also where the storage is newer than the database: what was done is found and left as it is."""
    site = restored("middle", storage)
    assert site.follow(site.monitor.monitoring_dag_id, RUN) == "success"
    check_nothing_twice(site, kept, days[0])
    if storage == "middle":
        assert site.run(site.monitor.monitoring_dag_id, "the_next", days[1]) == "success"
        pools, before = bought_and_sent(site)["pools"], kept["outside"]["pools"]
        assert (len(pools), [pool for pool in pools if pool in before]) == (len(before) + 1, before)
