"""Where the time of a whole day goes on a real Airflow (LocalExecutor, Postgres): a Markdown table.

    python -m bench.whole_day [--photos FOLDER] [--images 2000] [--no-preload]    # a folder for each class; by default drawn photos

A simulated crowd answers 400 times as fast as people. A task waits from the end of the last task that it needs to its own start, as Airflow notes
both. Its start (a process, imports) is part of its run. Needs Debian's postgresql.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.postgres import running_postgres
from driftwatch_sandbox.demo.world import ROOT, World

NEEDS = {
    "profile_features": ["ingest_images"],
    "predict_labels": ["ingest_images"],
    "create_annotation_pool": ["ingest_images"],
    "upload_features": ["profile_features"],
    "wait_for_annotations": ["create_annotation_pool"],
    "merge_annotations": ["wait_for_annotations"],
    "evaluate_performance": ["predict_labels", "merge_annotations"],
    "upload_performance": ["evaluate_performance", "upload_features"],
    "check_performance": ["evaluate_performance"],
    "performance_ok": ["check_performance"],
    "day_done": ["upload_performance", "performance_ok"],
}


def run(photos: Path | None, images: int, preload: bool, home: Path, database: str) -> list[dict[str, Any]]:
    """The task instances of one day of so many images; without `preload` each task imports what it needs."""
    plan = replace(week.DRAWN, training=200, per_day=(images,) + (0,) * 6)
    labels = {"sample_size": 100, "control_tasks": 12}
    plan = replace(plan, overrides={**plan.overrides, "annotation": labels, "performance": {"floor": 0.0}})
    world = World(home, database)
    monitor = week.write_monitor(world.monitors, ROOT / "include" / "monitors", plan)
    if photos:
        delivered = week.find_photos(photos, monitor.classes)
    else:
        delivered = week.draw_photos(home / "photos", monitor.classes, plan)
    layout = MonitorKeys(monitor.name)
    truth = ["image_id,label"]
    for number, photo in enumerate(random.Random(7).sample(delivered, min(plan.photos, len(delivered)))):  # noqa: S311 - an order
        training = number < plan.training
        folder = f"{layout.training_images}/{photo.label}" if training else layout.day(week.DAYS[0]).incoming
        target = world.storage / folder / f"{number:05d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photo.path, target)
        truth.append(f"{hashlib.sha256(photo.path.read_bytes()).hexdigest()},{photo.label}")
    world.truth.write_text("\n".join(truth) + "\n")
    (path,) = world.monitors.iterdir()
    try:
        world.start_stand_ins(crowd_speed=400)
        world.prepare_airflow()
        if not preload:
            (home / "airflow" / "config" / "airflow_local_settings.py").unlink()
        world.processes.run("champion", ["driftwatch", "champion", "train", str(path), "--epochs", "3"], world.env)
        world.start_airflow()
        world.wait_until_ready()
        api = AirflowApi(world.url("airflow"), "admin", world.secrets.password)
        api.wait_for_dags([monitor.monitoring_dag_id])
        api.trigger(monitor.monitoring_dag_id, "day", f"{week.DAYS[0]}T00:00:00Z", {})
        while api.run_state(monitor.monitoring_dag_id, "day") not in ("success", "failed"):
            world.processes.check()
            time.sleep(1)
        return api.tasks(monitor.monitoring_dag_id, "day")
    finally:
        world.processes.stop()


def table(tasks: list[dict[str, Any]]) -> str:
    """Each task's start, waiting and run, in order, and what the whole day took."""
    ran = {task["task_id"]: task for task in tasks if task["state"] == "success" and task["start_date"]}
    if len(ran) < len(NEEDS):
        raise SystemExit(f"The day did not end well: {[(task['task_id'], task['state']) for task in tasks]}")
    moments = {name: (_moment(task["start_date"]), _moment(task["end_date"])) for name, task in ran.items()}
    first = min(start for start, _ in moments.values())
    lines = ["| task | starts at | waited for Airflow | ran |", "|---|---|---|---|"]
    waits = {}
    for name, (start, end) in sorted(moments.items(), key=lambda item: item[1]):
        needs = [moments[each][1] for each in NEEDS.get(name, []) if each in moments]
        waits[name] = start - max(needs) if needs else None
        waited = "" if waits[name] is None else f"{waits[name]:.1f} s"
        lines.append(f"| {name} | {start - first:.1f} s | {waited} | {end - start:.1f} s |")
    after_ingest = min(
        waits[name] or 0.0 for name, needs in NEEDS.items() if needs == ["ingest_images"] and name in waits
    )
    others = [wait for name, wait in waits.items() if wait is not None and NEEDS[name] != ["ingest_images"]]
    answered = moments["predict_labels"][1] - first
    return "\n".join(
        [
            *lines, "",
            f"Ingest to predictions: {answered:.1f} s, of it ingest {moments['ingest_images'][1] - first:.1f} s, "
            f"Airflow's waiting {waits['predict_labels']:.1f} s, predict_labels {moments['predict_labels'][1] - moments['predict_labels'][0]:.1f} s. "
            f"Whole day: {max(end for _, end in moments.values()) - first:.1f} s.",
            f"From the end of ingest_images to the first of its followers, past the skipped shard tasks: {after_ingest:.1f} s; "
            f"between other tasks: median {statistics.median(others):.1f} s.",
        ]
    )  # fmt: skip


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def main() -> None:
    parser = argparse.ArgumentParser(description="Where the time of a whole day goes on a real Airflow.")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--no-preload", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="driftwatch-bench-") as home, running_postgres() as database:
        print(table(run(options.photos, options.images, not options.no_preload, Path(home), database)))


if __name__ == "__main__":
    main()
