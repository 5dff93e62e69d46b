"""How many tasks a minute a real Airflow runs here: one DAG of mapped tasks that do nothing, Postgres, LocalExecutor and Celery with Redis.

    python -m bench.tasks_a_minute [--tasks 1000] [--at-once 4] [--write]     # `--write`: the table of docs/scaling.md

Each of four Airflows is new: both executors, with preload (docs/scaling.md) and without. Counted from the start of the first mapped task to
the end of the last. Processor time is that of all processes together: Airflow's four, workers and tasks, Postgres and Redis. `--at-once`:
`[core] parallelism`. Needs Debian's postgresql and redis-server.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psutil
from sqlalchemy import create_engine, text

from bench.page_parts import SCALING, Part
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.postgres import running_postgres
from driftwatch_sandbox.demo.processes import free_port
from driftwatch_sandbox.demo.world import World

PART = Part(SCALING, "<!-- python -m bench.tasks_a_minute --write -->", "<!-- end of tasks_a_minute -->")
DAG = """from airflow.sdk import dag, task


@dag(schedule=None)
def nothing():
    @task
    def numbers() -> list[int]:
        return list(range({tasks}))

    @task
    def one(number: int) -> None:
        pass

    one.expand(number=numbers())


nothing()
"""
TIMES = text("select count(*), extract(epoch from max(end_date) - min(start_date)) from task_instance where task_id = 'one' and state = 'success'")  # fmt: skip


class Found(NamedTuple):
    executor: str
    preload: bool
    tasks: int
    seconds: float
    processor: float
    """Seconds of all processes."""

    @property
    def a_minute(self) -> float:
        return 60 * self.tasks / self.seconds


def measure(executor: str, preload: bool, tasks: int, at_once: int, home: Path, database: str) -> Found:
    """Runs the DAG on a new Airflow."""
    redis = free_port()
    world = World(
        home,
        database,
        {
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__CORE__EXECUTOR": executor,
            "AIRFLOW__CORE__PARALLELISM": str(at_once),
            "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": str(at_once),
            "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{redis}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"redis://127.0.0.1:{redis}/1",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(at_once),
            # The first task of a worker waited longer than the default of 5 s for a busy machine's api-server, and failed.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        },
    )
    (home / "dags").mkdir()
    (home / "dags" / "nothing.py").write_text(DAG.format(tasks=tasks))
    try:
        world.prepare_airflow()
        if not preload:
            (home / "airflow" / "config" / "airflow_local_settings.py").unlink()
        if executor == "CeleryExecutor":
            options = ["--bind", "127.0.0.1", "--port", str(redis), "--save", "", "--dir", str(home)]
            world.processes.start("redis", ["redis-server", *options], world.env)
            world.processes.start("worker", ["airflow", "celery", "worker", "--skip-serve-logs"], world.env)
        world.start_airflow()
        address = f"{world.url('airflow')}/api/v2/monitor/health"
        names = ("metadatabase", "scheduler", "dag_processor")
        world.processes.wait_for_http(
            "api-server", address, lambda answer: answer.is_success and all(answer.json()[name]["status"] == "healthy" for name in names)
        )  # fmt: skip
        api = AirflowApi(world.url("airflow"), "admin", world.secrets.password)
        api.wait_for_dags(["nothing"])
        before = _processor_time()
        api.trigger("nothing", "run", None, {})
        while (state := api.run_state("nothing", "run")) not in ("success", "failed"):
            world.processes.check()
            time.sleep(1)
        processor = _processor_time() - before
        with create_engine(database).connect() as connection:
            ended, seconds = connection.execute(TIMES).one()
        if state != "success" or ended != tasks:
            raise SystemExit(
                f"{executor}: the run ended as {state}, with {ended} of {tasks} tasks: see {world.processes.logs}"
            )
        return Found(executor, preload, tasks, float(seconds), processor)
    finally:
        world.processes.stop()


def _processor_time() -> float:
    """Seconds of all processes that this one has started, with those that have ended below them."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:  # counted by its parent from now on
            continue
        total += used.user + used.system + used.children_user + used.children_system
    return total


def table(rows: Sequence[Found], at_once: int) -> str:
    lines = [
        f"{rows[0].tasks:,} tasks, {at_once} at once, {os.cpu_count()} cores, load {os.getloadavg()[2]:.1f}:",
        "",
        "| executor | preload | tasks a minute | processor time for each task |",
        "|---|---|---|---|",
        *(
            f"| {row.executor} | {'yes' if row.preload else 'no'} | {row.a_minute:.0f} | {row.processor / row.tasks:.2f} s |"
            for row in rows
        ),
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--write", action="store_true", help="writes the table into docs/scaling.md")
    options = parser.parse_args()
    if shutil.which("redis-server") is None:
        raise SystemExit("redis-server is missing (Debian: apt-get install redis-server)")
    rows = []
    for executor in ("LocalExecutor", "CeleryExecutor"):
        for preload in (True, False):
            with tempfile.TemporaryDirectory(prefix="driftwatch-bench-") as home, running_postgres() as database:
                rows.append(measure(executor, preload, options.tasks, options.at_once, Path(home), database))
            print(rows[-1], f"{rows[-1].a_minute:.0f} a minute", flush=True)
    said = table(rows, options.at_once)
    print(said)
    if options.write:
        PART.write(said)


if __name__ == "__main__":
    main()
