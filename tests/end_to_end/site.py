"""A running Airflow with the stand-ins, and what a test asks of it."""

from __future__ import annotations

import hashlib
import subprocess
import time
from datetime import date
from typing import Any

import httpx
import pandas as pd

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.world import World


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

    def outside(self) -> dict[str, Any]:
        """What the outside was made to hold: projects, pools, tasks, money, and what WhyLabs counted."""
        toloka = self.toloka()
        return {
            "projects": toloka["projects"],
            "pools": sorted(toloka["pools"], key=lambda pool: pool["id"]),
            "account": toloka["account"],
            "whylabs": self.whylabs(),
        }

    def shifts(self, rows: pd.DataFrame) -> list[str]:
        """The shift of each image, as its file's name says. `rows`: of a training set."""
        days = [date.fromisoformat(day) for day in sorted(set(rows["day"]))]
        taken_in = pd.concat([self.storage.read_table(self.layout.day(day).manifest) for day in days])
        taken_in = taken_in[taken_in["status"] == "accepted"]
        names = taken_in.set_index("image_id")["key"].reindex(rows["image_id"]).str.rpartition("/")[2]
        return names.str.extract(r"^door-([01])")[0].fillna("").tolist()
