"""Makes the storage that a released version leaves behind: run by that version, in an environment of its own, from its own checkout.

    git worktree add ../old VERSION && cd ../old && make install
    .venv/bin/python PATH/TO/make_storage.py VERSION.tar.xz

That version's own DAGs run three days of small photos and a retraining by hand, by `dag.test()`. What is packed: the storage, the monitor
file as that version writes it, and the truth, which only the stand-in's crowd reads. Later days lie in `incoming` for the newer version.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.world import ROOT, World

try:
    from driftwatch.artifacts.keys import MonitorKeys
except ImportError:
    from driftwatch.layout import MonitorLayout as MonitorKeys  # version 0.1

DAYS, SIDE = week.DAYS[:3], 64
LABELS = "labels" if "labels" in week.DRAWN.overrides else "annotation"  # version 0.1
PLAN = replace(
    week.DRAWN,
    training=60,
    per_day=(40, 34, 34, 34, 34, 34, 34),
    overrides={
        LABELS: {"sample_size": 16, "control_tasks": 6},
        "model": {"input_size": 32, "recipe": {"width": 4}},
        "performance": {"min_labels": 10},
        "retraining": {"min_new_labels": 10, "min_evaluation_labels": 5, "epochs": 1},
    },
)


# Several days in one process, which imports Airflow once. `test` leaves the conf in the DAG's params, so each day has its DAG anew.
PROGRAM = """
import json, runpy, sys
from datetime import datetime, timezone
folder, dag_id, *days = sys.argv[1:]
states = {}
for day in days:
    file = "model_retraining" if dag_id.endswith("_retraining") else "image_monitoring"
    dag = runpy.run_path(f"{folder}/{file}.py")[dag_id]
    for task in dag.tasks:
        task.retries = 0
    at = {} if day == "by_hand" else {"logical_date": datetime.fromisoformat(day).replace(tzinfo=timezone.utc)}
    run = dag.test(**at)
    states[day] = [str(run.state), {ti.task_id: str(ti.state) for ti in run.get_task_instances()}]
print(json.dumps(states))
"""


def run_dag(world: World, dag_id: str, *days: object) -> dict[str, list[Any]]:
    """By day: the run's state, and that of each task. `by_hand` in place of a day: a run without one."""
    words = [sys.executable, "-c", PROGRAM, world.env["AIRFLOW__CORE__DAGS_FOLDER"], dag_id, *map(str, days)]
    done = subprocess.run(words, env=world.env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{dag_id} of {days}: {done.stdout[-3000:]}{done.stderr[-5000:]}")
    found: dict[str, list[Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    if wrong := {day: state for day, state in found.items() if "success" not in state[0]}:
        raise SystemExit(f"{dag_id}: {wrong}{done.stdout[-3000:]}{done.stderr[-5000:]}")
    return found


def start(world: World) -> None:
    """The stand-ins and an empty database; no server of Airflow."""
    world.start_stand_ins()
    world.prepare_airflow()
    for name in ("toloka", "whylabs", "images"):
        url = f"{world.url(name)}/healthz"
        world.processes.wait_for_http(name, url, lambda response: response.is_success, 600)


def make(home: Path) -> None:
    world = World(home)
    monitor = week.write_monitor(world.monitors, ROOT / "include" / "monitors", PLAN)
    photos = week.draw_photos(home / "photos", monitor.classes, PLAN)
    for photo in photos:
        small = cv2.resize(cv2.imread(str(photo.path)), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(photo.path), small, [cv2.IMWRITE_JPEG_QUALITY, 70])
    try:
        week.Camera(world.storage, MonitorKeys(monitor.name), world.truth, photos, PLAN).deliver()
        start(world)
        (file,) = world.monitors.iterdir()
        world.processes.run("champion", ["driftwatch", "champion", "train", str(file), "--epochs", "2"], world.env)
        print(run_dag(world, monitor.monitoring_dag_id, *DAYS))
        print(run_dag(world, monitor.retraining_dag_id, "by_hand"))
    finally:
        world.processes.stop()


def main() -> None:
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as home:
        make(Path(home))
        with tarfile.open(target, "w:xz", preset=9) as archive:
            for name in ("storage", "monitors", "truth.csv"):
                archive.add(Path(home) / name, name, filter=_kept)
    print(target, target.stat().st_size)


def _kept(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Without who wrote it, locks, and the images of days that nobody runs."""
    if info.name.endswith(".lock") or any(f"/incoming/{day}" in info.name for day in week.DAYS[len(DAYS) + 2 :]):
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode = 0o755 if info.isdir() else 0o644
    return info


if __name__ == "__main__":
    main()
