"""An Airflow on two Celery workers, with Postgres, Redis and an S3 API, of which one worker is killed as a machine dies."""

from __future__ import annotations

import signal
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import psutil

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.world import World

DAY = week.DAYS[0]
BUCKET = "bucket"  # as s3_server.py has it


def settings(redis: int, s3: int, database: str) -> dict[str, str]:
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{redis}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"redis://127.0.0.1:{redis}/1",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
        # How soon a task without a worker is noticed: in docker-compose.yaml 120 s, by default 300, 10 and 5 s.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
        # One that the worker had received and not begun is only noticed by this; docs/scaling.md says what else it does.
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "90",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
        "DRIFTWATCH_STORAGE": f"s3://{BUCKET}/driftwatch",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "OMP_NUM_THREADS": "1",
    }


class Cluster:
    """A running Airflow with two workers, and what the test asks of it."""

    def __init__(self, world: World, monitor: Any, workers: dict[str, Any]) -> None:
        self.world, self.monitor, self.workers = world, monitor, workers
        self.storage = open_storage(f"s3://{BUCKET}/driftwatch")
        self.keys = MonitorKeys(monitor.name).day(DAY)
        self.api = AirflowApi(world.url("airflow"), "admin", world.secrets.password)
        self.run = f"celery__{DAY}"

    def shards(self, task_id: str) -> list[dict[str, Any]]:
        tasks = self.api.tasks(self.monitor.monitoring_dag_id, self.run)
        return [task for task in tasks if task["task_id"] == task_id and task["map_index"] >= 0]

    def wait(self, done: Any, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, self.counted()
            self.world.processes.check()
            time.sleep(0.5)

    def counted(self) -> dict[Any, int]:
        tasks = self.api.tasks(self.monitor.monitoring_dag_id, self.run)
        return dict(Counter((task["task_id"], task["state"]) for task in tasks))


def start_worker(world: World, name: str) -> Any:
    arguments = ["--celery-hostname", f"{name}@localhost", "--pid", str(world.home / f"{name}.pid")]
    quiet = ["--skip-serve-logs", "--without-mingle", "--without-gossip"]
    return world.processes.start(name, ["airflow", "celery", "worker", *arguments, *quiet], world.env)


def family_of(process: Any) -> list[psutil.Process]:
    """A worker and its tasks, which have process groups of their own."""
    return [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]


def signalled(process: Any, what: signal.Signals) -> set[int]:
    """Sends a worker and its tasks a signal. Returns their process ids."""
    family = family_of(process)
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.send_signal(what)
    return {each.pid for each in family}


def kill_the_busiest(cluster: Cluster) -> set[int]:
    """Kills a worker as a machine dies: with its tasks. Returns the numbers of the shards that it had in its hands.

    Both workers stand still meanwhile, so that no task ends between the look and the kill.
    """
    families = {name: signalled(worker, signal.SIGSTOP) for name, worker in cluster.workers.items()}
    running = {task["pid"]: task["map_index"] for task in cluster.shards("ingest_shards") if task["state"] == "running"}
    busiest = max(families, key=lambda name: len(families[name] & set(running)))
    lost = {number for pid, number in running.items() if pid in families[busiest]}
    for name, worker in cluster.workers.items():
        signalled(worker, signal.SIGKILL if lost and name == busiest else signal.SIGCONT)
    if lost:
        cluster.world.processes.forget(busiest)
    return lost
