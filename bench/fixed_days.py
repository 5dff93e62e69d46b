"""Five days, a retraining and a rollback in which nothing is left to chance: two runs of the same code leave the same artifacts.

    python -m bench.fixed_days <new folder>    # about five minutes; leaves <folder>/storage, for bench.same_artifacts

Drawn photos of a fixed seed with a broken camera from the fourth day on, the real DAGs task by task in one process (`dag.test()`), the
stand-ins, and annotators who answer in a fixed order. `make demo` cannot show the same: which of its annotators sees which image is a
matter of milliseconds, and the labels, the verdict and the new model follow from it. The fourth day is cut into shards.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.processes import ServerFailed
from driftwatch_sandbox.demo.world import ROOT, World
from driftwatch_sandbox.toloka.chance import chance
from driftwatch_sandbox.toloka.workers import Worker, answer, population

# Small days, of which the fourth is an alert and its retraining is promoted: a gate of few images must be content with less.
PLAN = replace(
    week.DRAWN,
    per_day=(60, 60, 60, 270, 60, 0, 0),
    overrides={
        "model": {"input_size": 64},
        "images": {"shard_size": 256},
        "labels": {"sample_size": 200, "exam": {"tasks": 4}},
        "performance": {"floor": 0.8},
        "retraining": {
            "epochs": 12,
            "patience": 0,
            "gate_confidence": 0.6,
            "max_clean_drop": 0.2,
            "max_class_drop": 0.3,
        },
    },
)
DAYS = week.DAYS[:5]
BROKEN = week.DAYS[week.BROKEN_FROM]
_PAGE, _SECONDS, _SEED = 9, 40, 7


class Annotators:
    """The crowd's careful people, who come to each open pool one after the other and answer in the order of the images' ids.

    Each answers four images in five, until an image has as many answers as are wanted: so the answers come from many.
    """

    def __init__(self, world: World) -> None:
        headers = {"Authorization": f"OAuth {world.secrets.toloka_token}"}
        self._http = httpx.Client(base_url=world.url("toloka"), headers=headers, timeout=30, trust_env=False)
        with world.truth.open(newline="") as file:
            self._truth = {row["image_id"]: row["label"] for row in csv.DictReader(file)}
        self._people = [person for person in population(_SEED) if person.kind == "careful"]
        self._done: set[str] = set()

    def look(self) -> None:
        """Answers what is open; a pool stays open for a moment after its last answer."""
        for pool in self._listed("pools", status="OPEN"):
            if pool["id"] in self._done:
                continue
            self._done.add(pool["id"])
            tasks = sorted(self._listed("tasks", pool_id=pool["id"]), key=lambda task: task["input_values"]["image_id"])
            wanted = {task["id"]: task["overlap"] for task in tasks if not task.get("known_solutions")}
            for person in self._people:
                mine = [task for task in tasks if wanted.get(task["id"], 1) and self._takes(person, task)]
                while mine and mine[-1]["id"] not in wanted:  # the pool closes with the last answer that is wanted
                    mine.pop()
                for start in range(0, len(mine), _PAGE):
                    self._answer(pool, person, mine[start : start + _PAGE])
                wanted |= {task["id"]: wanted[task["id"]] - 1 for task in mine if task["id"] in wanted}

    def _takes(self, person: Worker, task: dict[str, Any]) -> bool:
        return chance(person.id, task["input_values"]["image_id"]) < 0.8

    def _answer(self, pool: dict[str, Any], person: Worker, page: list[dict[str, Any]]) -> None:
        classes = set(self._truth.values())
        allowed = [*sorted(classes), "unclear"]
        answers = {}
        for task in page:
            image = task["input_values"]["image_id"]
            answers[task["id"]] = {"result": answer(person, image, self._truth[image], allowed, classes, _SEED)}
        body = {"pool_id": pool["id"], "user_id": person.id, "answers": answers, "seconds": _SECONDS}
        self._http.post("/_sandbox/answers", json=body).raise_for_status()

    def _listed(self, kind: str, **query: str) -> list[dict[str, Any]]:
        limit = {"pools": 300, "tasks": 1000}[kind]
        found = self._http.get(f"/api/v1/{kind}", params={"limit": limit, **query}).raise_for_status().json()
        assert not found["has_more"]
        return found["items"]


def run(home: Path) -> Path:
    """Plays the days in `home`, an empty folder; returns the storage root."""
    world = World(home)
    monitor = week.write_monitor(world.monitors, week.MONITORS, PLAN)
    try:
        photos = week.draw_photos(home / "photos", monitor.classes, PLAN)
        week.Camera(world.storage, MonitorKeys(monitor.name), world.truth, photos, PLAN).deliver()
        world.start_stand_ins(crowd_speed=1e-6)  # its people are still on their way when the days are over
        world.processes.wait_for_http("toloka", f"{world.url('toloka')}/healthz", lambda answer: answer.is_success)
        world.prepare_airflow()
        command = ["driftwatch", "champion", "train", str(world.monitor_file), "--recipe", PLAN.recipe]
        world.processes.run("champion", command, world.env)
        env = {**world.env, "PYTHONPATH": str(ROOT)}
        world.processes.run("days", [sys.executable, "-m", "bench.fixed_days", "--play"], env, Annotators(world).look)
    finally:
        world.processes.stop()
    return world.storage


def play() -> None:
    """The DAGs' runs, in the environment of the world's Airflow."""
    sys.path.insert(0, str(ROOT / "dags"))
    import image_monitoring
    import model_retraining

    (monitoring,) = (dag for name, dag in vars(image_monitoring).items() if name.endswith("_monitoring"))
    (retraining,) = (dag for name, dag in vars(model_retraining).items() if name.endswith("_retraining"))
    for day in DAYS:
        _test(monitoring, day, day=str(day))
        if day == BROKEN:
            _test(retraining, day, last_day=str(day), reason=f"performance alert of {day}")
    _test(retraining, DAYS[-1], rollback="previous")


def _test(dag: Any, on: date, **form: Any) -> None:
    """Runs a DAG to its end, as two days after the date: that moment names the run, which the clock would do otherwise."""
    moment = datetime.combine(on, time(), timezone.utc)
    done = dag.test(run_after=moment + timedelta(days=2), logical_date=moment, run_conf=form)
    if done.state != "success":
        states = {task.task_id: str(task.state) for task in done.get_task_instances()}
        raise SystemExit(f"{dag.dag_id} of {on} ended as {done.state}: {states}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.fixed_days", description=(__doc__ or "").split("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("home", type=Path, nargs="?", help="a folder that does not exist yet")
    what.add_argument("--play", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        play()
        return 0
    options.home.mkdir(parents=True)
    try:
        print(f"The artifacts are in {run(options.home.resolve())}")
    except ServerFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
