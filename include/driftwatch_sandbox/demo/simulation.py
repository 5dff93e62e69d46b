"""Plays a story on a real Airflow with the stand-ins: delivers images, makes a first champion (the model that serves), runs day after day."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Protocol

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.homes import SUMMARY, DemoFailed
from driftwatch_sandbox.demo.progress import Progress
from driftwatch_sandbox.demo.summary import DayRow, day_row, found, table
from driftwatch_sandbox.demo.world import World


class Story(Protocol):
    """What is played."""

    @property
    def title(self) -> str:
        """The title above the table of days."""

    @property
    def days(self) -> Sequence[date]: ...

    @property
    def broken_from(self) -> int:
        """The place of the first day whose images are damaged."""

    @property
    def damage(self) -> str:
        """In a word or two."""

    @property
    def preparing(self) -> str:
        """What `deliver` does, for the progress line."""

    @property
    def champion(self) -> list[str]:
        """The arguments of `driftwatch champion`: `train` or `import` first, then those that follow the monitor file."""

    @property
    def retrains(self) -> bool:
        """Whether the retraining that an alert asks for is run. If not, its DAG is paused."""

    def write_monitor(self, folder: Path) -> Path:
        """Writes the monitor file into `folder`."""

    def deliver(self, world: World, layout: MonitorKeys) -> None:
        """Puts the images of the training and of each day into the storage, and what they show into the crowd's file of true labels."""


class Simulation:
    """One run of a story, in an empty folder."""

    def __init__(self, home: Path, story: Story, progress: Progress) -> None:
        self.home, self.story, self.progress = home, story, progress
        self.world = self._world(home)
        self.file = story.write_monitor(self.world.monitors)
        self.monitor = self._load()
        self.store = MonitorStore(open_storage(f"file://{self.world.storage}"), self.monitor)
        self.rows: list[DayRow] = []

    def _world(self, home: Path) -> World:
        return World(home)

    def _load(self) -> MonitorConfig:
        from driftwatch.config.loader import load_monitor

        return load_monitor(self.file)

    def run(self) -> None:
        try:
            self._prepare()
            self._days()
        finally:
            with self.progress.phase("stopping", "stopping the servers"):
                self.world.stop()
            self.progress.stop()
        self.progress.timings["total"] = round(time.time() - self.progress.started, 1)
        summary = {"days": [asdict(row) for row in self.rows], "timings": self.progress.timings}
        (self.home / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")

    def _prepare(self) -> None:
        database = threading.Thread(target=self._in_background, args=(self.world.prepare_airflow,))
        database.start()
        with self.progress.phase("photos", self.story.preparing):
            self.story.deliver(self.world, self.store.keys)
        with self.progress.phase("airflow start", "creating Airflow's database"):
            database.join()
            self._raise_background_error()
            self.world.start_stand_ins()
        with self.progress.phase("first champion", "making the first champion"):
            self._make_champion()
        with self.progress.phase("airflow start", "waiting for Airflow"):
            self.world.start_airflow()
            self.world.wait_until_ready()
            self.api = AirflowApi(self.world.url("airflow"), "admin", self.world.secrets.password)
            self.api.wait_for_dags(self._dags)
            if not self.story.retrains:
                self.api.pause(self.monitor.retraining_dag_id)
        self.progress.say(
            f"Airflow is up at {self.world.url('airflow')} (login: admin / {self.world.secrets.password})"
        )

    _background_error: BaseException | None = None

    def _in_background(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            self._background_error = error

    def _raise_background_error(self) -> None:
        if self._background_error is not None:
            raise self._background_error

    def _make_champion(self) -> None:
        kind, *more = self.story.champion
        doing = "training the first champion" if kind == "train" else "importing the first champion"
        command = ["driftwatch", "champion", kind, str(self.file), *more]
        self._show_command("champion", command, self.world.env, doing)
        champion = self._champion()
        holdout = self.store.read(self.store.keys.model_card(champion), ModelCard).metrics.holdout
        accuracy = holdout.accuracy.value or 0.0
        self.progress.say(f"First champion {champion}: {100 * accuracy:.1f} % on {holdout.n} held-out photos")
        if accuracy < self.monitor.performance.floor:
            better = " More images make a better model; so does your own, by MODEL=<file>" if kind == "train" else ""
            self.progress.say(
                f"That is below performance.floor, {self.monitor.performance.floor:.0%}: clean days may be alerts too.{better}"
            )

    def _show_command(self, log: str, command: list[str], env: dict[str, str], doing: str) -> None:
        """Runs a command to its end. Shows what it does, with the epoch that its log tells of."""

        def tick() -> None:
            epochs = re.findall(r"epoch.*", self.world.processes.log_end(log, lines=1))
            self.progress.show(doing + "".join(f": {' '.join(line.split())}" for line in epochs[-1:]))

        self.world.processes.run(log, command, env, tick)

    def _champion(self) -> str:
        return self.store.read(self.store.keys.champion, ChampionPointer).version

    @property
    def _dags(self) -> list[str]:
        """The DAGs that the story needs."""
        return [self.monitor.monitoring_dag_id, self.monitor.retraining_dag_id]

    def _before_day(self, day: date) -> None:
        """What happens outside of Driftwatch on the day, before it is handled."""

    def _after_retraining(self, run_id: str) -> None:
        """What follows a retraining run that has ended well, before the next day."""

    def _days(self) -> None:
        for number, day in enumerate(self.story.days, start=1):
            state = self.story.damage if number > self.story.broken_from else "clean"
            name = f"day {number} ({day:%a %d %b}, {state})"
            with self.progress.phase("days", name):
                self._before_day(day)
                run_id = f"demo__{day}"
                self.api.trigger(self.monitor.monitoring_dag_id, run_id, f"{day}T00:00:00Z", {})
                self._follow(self.monitor.monitoring_dag_id, run_id, name)
            retraining = self._retraining(day)
            row = day_row(self.store.day(day), retraining)
            self.rows.append(row)
            accuracy = f"{100 * row.accuracy:.0f} %" if row.accuracy is not None else "unknown"
            drift = f"drift {row.drifted_in}" if row.drifted else "no drift"
            self.progress.say(f"{name}: {row.accepted} images, {drift}, accuracy {accuracy}, verdict {row.verdict}")
            if retraining and self.story.retrains:
                champion = self._champion()
                kept = champion == row.model_version
                self.progress.say(
                    f"retraining {retraining}: "
                    + ("the champion stays" if kept else f"{champion} is the new champion{self._accepted()}")
                )

    def _retraining(self, day: date) -> str | None:
        run_id = f"perf_alert__{day}"
        if not self.api.run_state(self.monitor.retraining_dag_id, run_id):
            return None
        if self.story.retrains:
            with self.progress.phase("retraining", "retraining"):
                self._follow(self.monitor.retraining_dag_id, run_id, "retraining")
                self._after_retraining(run_id)
        return run_id

    def _accepted(self) -> str:
        """The days that are usual from now on, beside those that are like the training data."""
        from driftwatch.drift.states import accepted_states

        names = [state.name for state in accepted_states(self.store) if state.counts]
        return f"; days like {', '.join(names)} are usual from now on" if names else ""

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

    def tell(self) -> None:
        """Prints the table of the days, the headline of the day that shows most, and where to look."""
        console = self.progress.console
        console.print()
        console.print(table(self.rows, self.story.title))
        spent = " · ".join(f"{name} {seconds:.0f} s" for name, seconds in self.progress.timings.items())
        damaged = self.rows[self.story.broken_from :]
        told = next((row.day for row in damaged if row.verdict == "alert"), damaged[-1].day)
        day = date.fromisoformat(told)
        report = self.store.storage.path(self.store.keys.day(day).report)
        lines = [
            f"Where the time went: {spent}",
            f"{day:%d %b}: {found(self.store.day(day))}",
            f"Report of {told}: {report}",
            f"Reports of all days: {self.store.storage.path(self.store.keys.days)}/*/report.html",
            f"The table as JSON: {self.home / SUMMARY}",
        ]
        for line in lines:
            console.print(line, highlight=False, markup=False, soft_wrap=True)
