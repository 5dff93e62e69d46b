"""`python -m driftwatch_sandbox.demo`: the simulated week; with `--serve`, Airflow's UI on what it left."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from driftwatch.errors import DriftwatchError
from driftwatch.layout import MonitorLayout
from driftwatch.storage import Storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.processes import ServerFailed
from driftwatch_sandbox.demo.progress import Progress
from driftwatch_sandbox.demo.summary import day_row, table
from driftwatch_sandbox.demo.world import ROOT, World, until_interrupted

HOME = ROOT / "var" / "demo"


class DemoFailed(Exception):
    """A run of the week did not end as it should; the message has the failed task's log."""


@contextmanager
def only_one() -> Iterator[None]:
    """Two demos would share their state."""
    HOME.parent.mkdir(exist_ok=True)
    with (HOME.parent / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed("a demo or its UI is running already; stop it first (Ctrl-C in its terminal)") from None
        yield


class Demo:
    """One simulated week."""

    def __init__(self, console: Console, photos: Path | None) -> None:
        self.photos = photos
        self.plan = week.REAL if photos else week.DRAWN
        self.progress = Progress(console, float(os.environ.get("DRIFTWATCH_STARTED") or time.time()))
        self.progress.timings["install"] = round(time.time() - self.progress.started, 1)
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir(parents=True)
        self.world = World(HOME)
        self.monitor = week.write_monitor(self.world.monitors, ROOT / "include" / "monitors", self.plan)
        self.layout = MonitorLayout(self.monitor.name)
        self.storage = Storage(f"file://{self.world.storage}")
        self.rows: list[dict[str, Any]] = []

    def run(self) -> None:
        try:
            self._prepare()
            self._days()
        finally:
            with self.progress.phase("stopping", "stopping the servers"):
                self.world.processes.stop()
            self.progress.stop()
        self._tell()

    def _prepare(self) -> None:
        database = threading.Thread(target=self._in_background, args=(self.world.prepare_airflow,))
        database.start()
        with self.progress.phase(
            "photos", "preparing the week's photos" if self.photos else "drawing the week's photos"
        ):
            photos = (
                week.find_photos(self.photos, self.monitor.classes)
                if self.photos
                else week.draw_photos(HOME / "photos", self.monitor.classes, self.plan)
            )
            week.Camera(self.world.storage, self.layout, self.world.truth, photos, self.plan).deliver()
        with self.progress.phase("airflow start", "creating Airflow's database"):
            database.join()
            self._raise_background_error()
            self.world.start_stand_ins()
        with self.progress.phase("first champion", "training the first champion"):
            self._train_champion()
        with self.progress.phase("airflow start", "waiting for Airflow"):
            self.world.start_airflow()
            self.world.wait_until_ready()
            self.api = AirflowApi(self.world.url("airflow"), "admin", self.world.secrets.password)
            self.api.wait_for_dags([self.monitor.monitoring_dag_id, self.monitor.retraining_dag_id])
        self.progress.say(
            f"Airflow is up at {self.world.url('airflow')} (login: admin / {self.world.secrets.password})"
        )

    _background_error: BaseException | None = None

    def _in_background(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:
            self._background_error = error

    def _raise_background_error(self) -> None:
        if self._background_error is not None:
            raise self._background_error

    def _train_champion(self) -> None:
        (monitor,) = self.world.monitors.iterdir()

        def tick() -> None:
            epochs = re.findall(r"epoch.*", self.world.processes.log_end("champion", lines=1))
            self.progress.show(
                "training the first champion" + "".join(f": {' '.join(line.split())}" for line in epochs[-1:])
            )

        command = ["driftwatch", "champion", "train", str(monitor), "--recipe", self.plan.recipe]
        self.world.processes.run("champion", command, self.world.env, tick)
        champion = self.storage.read_json(self.layout.champion)["version"]
        holdout = self.storage.read_json(self.layout.model_card(champion))["metrics"]["holdout"]
        self.progress.say(
            f"First champion {champion}: {100 * holdout['accuracy']['value']:.1f} % on {holdout['n']} held-out photos"
        )

    def _days(self) -> None:
        for number, day in enumerate(week.DAYS, start=1):
            name = f"day {number} ({day:%a %d %b}, {'camera broken' if number > week.BROKEN_FROM else 'clean'})"
            with self.progress.phase("days", name):
                run_id = f"demo__{day}"
                self.api.trigger(self.monitor.monitoring_dag_id, run_id, f"{day}T00:00:00Z", {})
                self._follow(self.monitor.monitoring_dag_id, run_id, name)
            alert_run = f"perf_alert__{day}"
            retraining = alert_run if self.api.run_state(self.monitor.retraining_dag_id, alert_run) else None
            if retraining:
                with self.progress.phase("retraining", "retraining"):
                    self._follow(self.monitor.retraining_dag_id, retraining, "retraining")
            row = day_row(self.storage, self.layout, day, retraining)
            self.rows.append(row)
            accuracy = f"{100 * row['accuracy']:.0f} %" if row["accuracy"] is not None else "unknown"
            drift = f"drift in {len(row['drifted_features'])} features" if row["drifted"] else "no drift"
            self.progress.say(
                f"{name}: {row['accepted']} images, {drift}, accuracy {accuracy}, verdict {row['verdict']}"
            )
            if retraining:
                champion = self.storage.read_json(self.layout.champion)["version"]
                kept = champion == row["model_version"]
                self.progress.say(
                    f"retraining {retraining}: " + ("the champion stays" if kept else f"{champion} is the new champion")
                )

    def _follow(self, dag_id: str, run_id: str, name: str) -> None:
        """Shows the running tasks until the run has ended."""
        while True:
            self.world.processes.check()
            tasks = self.api.tasks(dag_id, run_id)
            busy = sorted(task["task_id"] for task in tasks if task["state"] in ("running", "deferred", "up_for_retry"))
            if busy:
                self.progress.show(f"{name}: {', '.join(busy)}")
            state = self.api.run_state(dag_id, run_id)
            if state == "success":
                return
            if state == "failed":
                failed = next(task for task in tasks if task["state"] == "failed")
                log = self.api.log(dag_id, run_id, failed["task_id"], failed["try_number"])
                raise DemoFailed(f"{dag_id} {run_id}: task {failed['task_id']} failed:\n{log}")
            time.sleep(0.5)

    def _tell(self) -> None:
        console, timings = self.progress.console, self.progress.timings
        timings["total"] = round(time.time() - self.progress.started, 1)
        summary = {"days": self.rows, "timings": timings}
        (HOME / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
        console.print()
        console.print(table(self.rows))
        spent = " · ".join(f"{name} {seconds:.0f} s" for name, seconds in timings.items())
        console.print(f"Where the time went: {spent}", highlight=False, soft_wrap=True)
        alert = next((row["day"] for row in self.rows if row["verdict"] == "alert"), self.rows[-1]["day"])
        report = self.storage.path(self.layout.day(week.date.fromisoformat(alert)).report)
        console.print(f"Report of {alert}: {report}", highlight=False, soft_wrap=True)
        console.print(f"The table as JSON: {HOME / 'summary.json'}", highlight=False, soft_wrap=True)
        console.print("Look around in Airflow: make ui", highlight=False)


def finished_demo() -> None:
    """Raises DemoFailed where no demo has ended well."""
    if not (HOME / "summary.json").exists():
        raise DemoFailed("there is no finished demo to look at: run `make demo` first")


def serve(console: Console) -> None:
    """Airflow's UI and the stand-ins on the state that the demo left, until Ctrl-C."""
    finished_demo()
    world = World(HOME)
    with until_interrupted(console, world.processes):
        console.print("Starting Airflow and the stand-ins …")
        world.start_stand_ins()
        world.start_airflow()
        world.wait_until_ready()
        console.print(
            f"Airflow: {world.url('airflow')}\nLogin:   admin / {world.secrets.password}\nStop:    Ctrl-C",
            highlight=False,
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m driftwatch_sandbox.demo", description=__doc__)
    parser.add_argument("--photos", type=Path, help="folder of real photos, <class>/<file>; without it they are drawn")
    parser.add_argument("--label", action="store_true", help="the labelling page, on images of the last demo")
    parser.add_argument("--serve", action="store_true", help="serve what the last demo left")
    arguments = parser.parse_args()
    console = Console()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell that starts this in the background has SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        with only_one():
            if arguments.serve:
                serve(console)
            elif arguments.label:
                finished_demo()
                # toloka-kit says at its import that setuptools will change: nothing that a user of this page could act on.
                warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
                from driftwatch_sandbox.demo.label import label

                label(console, World(HOME))
            else:
                Demo(console, arguments.photos).run()
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return 130
    except (DemoFailed, DriftwatchError, ServerFailed) as error:
        console.print(f"[bold red]The demo failed:[/] {error}", highlight=False, markup=True, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
