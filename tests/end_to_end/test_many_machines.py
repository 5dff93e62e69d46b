"""A day of 1,700 images in shards on two Celery workers, with Postgres, Redis and an S3 API; one worker dies in the middle. Then an image is
forgotten, the watch looks, and what is over is removed.

It costs two minutes of CPU, so `make test` leaves it out: `make test-faults` runs it.
"""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
import psutil
import pytest
from tests.end_to_end import light_site
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_airflow.paths import WATCH_DAG_ID
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.postgres import postgres_binaries
from driftwatch_sandbox.demo.processes import free_port
from driftwatch_sandbox.demo.world import ROOT, World

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.all_faults("it costs minutes of CPU"),
]

HERE = ROOT / "tests" / "end_to_end"
IMAGES, DAY = 1_700, week.DAYS[0]
BUCKET, COPY, CUT_SHORT = "bucket", "zz-copy.jpg", "zz-cut-short.jpg"  # as s3_server.py has them
PLAN = replace(
    light_site.PLAN,
    overrides={
        **light_site.PLAN.overrides,
        "images": {"shard_size": 256},
        "storage": {"forget_originals": True, "keep": {"shown": 1, "reports": 1, "answers": 1, "remove": True}},
    },
)
# A minute's wait before a retry is right in production; here it would be most of the test.
SOON = """
def task_policy(task):
    from datetime import timedelta

    task.retry_delay, task.retry_exponential_backoff = timedelta(seconds=2), 0
"""


@pytest.fixture(scope="module")
def needed(database: str | None) -> str:
    """The database's URL; skips where the machine lacks a server."""
    if database is None or postgres_binaries() is None or shutil.which("redis-server") is None:
        pytest.skip("Postgres or Redis is not on this machine (Debian: apt-get install postgresql redis-server)")
    return database


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


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, needed: str) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("cluster")
    redis, s3 = free_port(), free_port()
    world = World(home, needed, settings(redis, s3, needed))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.settings.items():
            if name.startswith(("AWS_", "DRIFTWATCH_")):
                patch.setenv(name, value)
        monitor = week.write_monitor(world.monitors, ROOT / "include" / "monitors", PLAN)
        layout = MonitorKeys(monitor.name)
        database = threading.Thread(target=world.prepare_airflow)
        database.start()
        try:
            light_site.Photos(monitor.classes).take(home / "photos", PLAN.training // 2, by_class=True)
            inside = [
                "--incoming",
                f"driftwatch/{layout.day(DAY).incoming}",
                "--training",
                f"driftwatch/{layout.training_images}",
            ]
            outside = ["--port", str(s3), "--photos", str(home / "photos"), "--truth", str(world.truth)]
            server = [sys.executable, str(HERE / "s3_server.py"), *inside, *outside, "--images", str(IMAGES)]
            world.processes.start("s3", server, world.env)
            arguments = ["--bind", "127.0.0.1", "--port", str(redis), "--save", "", "--dir", str(home)]
            world.processes.start("redis", ["redis-server", *arguments], world.env)
            world.start_stand_ins()
            database.join()
            with (home / "airflow" / "config" / "airflow_local_settings.py").open("a") as file:
                file.write(SOON)
            world.start_airflow()
            workers = {name: start_worker(world, name) for name in ("one", "two")}
            # Not moto's own list of what it holds, which takes seconds for so many objects.
            world.processes.wait_for_http(
                "s3", f"http://127.0.0.1:{s3}/{BUCKET}?location", lambda answer: answer.is_success
            )
            light_site.first_champion(
                monitor_store(open_storage(monitor.storage.uri), layout, monitor), home / "model.onnx"
            )
            world.wait_until_ready()
            found = Cluster(world, monitor, workers)
            found.api.wait_for_dags([monitor.monitoring_dag_id, monitor.retraining_dag_id])
            yield found
        finally:
            world.processes.stop()


def test_a_day_in_shards_ends_right_though_a_worker_dies_in_the_middle(cluster):
    cluster.api.trigger(cluster.monitor.monitoring_dag_id, cluster.run, f"{DAY}T00:00:00Z", {})

    def in_the_middle() -> bool:
        states = Counter(task["state"] for task in cluster.shards("ingest_shards"))
        return states["running"] >= 3 and states["success"] >= 1  # so one worker has two

    def ended() -> bool:
        return cluster.api.run_state(cluster.monitor.monitoring_dag_id, cluster.run) in ("success", "failed")

    cluster.wait(in_the_middle, 600)
    while not (lost := kill_the_busiest(cluster)):  # they ended between the look and the standstill
        cluster.wait(in_the_middle, 600)
    assert len(lost) <= 2
    cluster.wait(ended, 900)
    assert cluster.api.run_state(cluster.monitor.monitoring_dag_id, cluster.run) == "success", cluster.counted()

    shards = cluster.shards("ingest_shards")
    assert len(shards) == len(cluster.shards("predict_shards")) == 7
    again = {task["map_index"] for task in shards if task["try_number"] > 1}
    assert lost <= again
    assert len(again) <= 2  # what the dead worker had in its hands, and nothing else
    names = sorted(task["rendered_map_index"] for task in shards)
    assert "shard 2 of 7, files 257 to 512" in names
    assert len(set(names)) == 7


def test_every_listed_image_is_accounted_for_and_answered_in_the_manifests_order(cluster):
    storage, keys = cluster.storage, cluster.keys
    counts = storage.read_json(keys.ingest)
    assert [counts[name] for name in ("listed", "accepted", "duplicate", "quarantined")] == [IMAGES + 2, IMAGES, 1, 1]
    manifest = storage.read_table(keys.manifest)
    delivered = [*(f"door-{number:05d}.jpg" for number in range(1, IMAGES + 1)), COPY, CUT_SHORT]
    assert manifest["key"].tolist() == [f"{keys.incoming}/{name}" for name in delivered]
    accepted = manifest[manifest["status"] == "accepted"]
    predictions = storage.read_table(keys.predictions)
    assert len(predictions) == IMAGES
    assert predictions["image_id"].tolist() == accepted["image_id"].tolist()
    assert storage.list(keys.shards) == []


def test_the_day_is_paid_for_and_published_once(cluster):
    world, storage, keys = cluster.world, cluster.storage, cluster.keys
    headers = {"Authorization": f"OAuth {world.secrets.toloka_token}"}
    toloka = httpx.get(f"{world.url('toloka')}/_sandbox/state", headers=headers).raise_for_status().json()
    assert len(toloka["projects"]) == 1
    assert [pool["real_tasks"] for pool in toloka["pools"]] == [20]
    performance = storage.read_json(keys.performance)
    parts = ("consensus", "ties", "unclear", "unanswered")
    assert sum(performance[name] for name in parts) == performance["sampled"] == 20
    sample = [image["image_id"] for image in storage.read_json(keys.annotation)["sample"]]
    assert len(set(sample)) == 20
    uploads = storage.read_json(keys.published)["uploads"]
    assert sorted((entry["kind"], entry["state"]) for entry in uploads if entry["sink"] == "whylabs") == [
        ("features", "done"),
        ("performance", "done"),
    ]
    headers = {"X-API-Key": world.secrets.whylabs_key}
    whylabs = httpx.get(f"{world.url('whylabs')}/_sandbox/state", headers=headers).raise_for_status().json()
    day = whylabs["datasets"]["model-1"]["days"][str(DAY)]
    assert day["columns"]["image.entropy"]["count"] == IMAGES
    assert sum(map(sum, day["confusion"]["counts"])) == performance["labels"]


def ended(cluster: Cluster, dag_id: str, run_id: str) -> str:
    """The state of a run, once it has one that lasts."""
    cluster.wait(lambda: cluster.api.run_state(dag_id, run_id) in ("success", "failed"), 600)
    return str(cluster.api.run_state(dag_id, run_id))


def stored(cluster: Cluster) -> dict[str, bytes]:
    """Every object of the monitor in the bucket but what was delivered and trained on, by its key."""
    outside = (cluster.keys.incoming, MonitorKeys(cluster.monitor.name).training_images)
    found = [item.key for item in cluster.storage.list(cluster.monitor.name) if not item.key.startswith(outside)]
    return {key: cluster.storage.read_bytes(key) for key in found}


def test_an_image_is_forgotten_in_the_bucket_by_the_form_of_its_dag(cluster):
    storage, keys, dag_id = cluster.storage, cluster.keys, cluster.monitor.forget_dag_id
    cluster.api.wait_for_dags([dag_id])
    (wanted, *_) = [image["image_id"] for image in storage.read_json(keys.annotation)["sample"]]
    manifest = storage.read_table(keys.manifest).set_index("image_id")
    original, before = manifest.loc[wanted, "key"], stored(cluster)
    assert any(wanted.encode() in data for data in before.values())
    cluster.api.trigger(dag_id, "look", None, {"images": wanted})
    assert ended(cluster, dag_id, "look") == "success"
    assert stored(cluster) == before
    cluster.api.trigger(dag_id, "do", None, {"images": wanted, "apply": True})
    assert ended(cluster, dag_id, "do") == "success"
    after = stored(cluster)
    assert [key for key, data in after.items() if wanted.encode() in data or wanted in key] == []
    assert not storage.exists(original)
    assert wanted not in storage.read_table(keys.manifest)["image_id"].tolist()
    assert len(storage.read_table(keys.predictions)) == IMAGES  # its row stays, without what names it
    assert storage.read_json(keys.ingest)["listed"] == IMAGES + 2


def test_the_watch_looks_at_the_bucket_and_keeps_no_more_of_the_day_than_it_may(cluster):
    """The first run of the UTC day keeps files. If it looked before there was anything, whoever wants it again clears its task."""
    storage, keys = cluster.storage, cluster.keys
    cluster.api.trigger(WATCH_DAG_ID, "by_hand", None, {})
    assert ended(cluster, WATCH_DAG_ID, "by_hand") == "success"
    runs = [run["dag_run_id"] for run in cluster.api._get(f"/dags/{WATCH_DAG_ID}/dagRuns")["dag_runs"]]
    states = {run: {task["task_id"]: task["state"] for task in cluster.api.tasks(WATCH_DAG_ID, run)} for run in runs}
    by_hand = states["by_hand"]
    assert [by_hand[name] for name in ("look_at_monitors", "tell_findings", "ping")] == [
        "success",
        "success",
        "skipped",
    ]
    assert cluster.api.xcom(WATCH_DAG_ID, "by_hand", "look_at_monitors") == {"unwritable": {}, "problems": []}
    first = next(run for run in ("by_hand", *runs) if states[run].get("keep_files") == "success")
    if storage.exists(keys.report):
        asked = {"dag_run_id": first, "task_ids": ["keep_files"], "dry_run": False, "only_failed": False}
        cluster.api._client.post(f"/api/v2/dags/{WATCH_DAG_ID}/clearTaskInstances", json=asked).raise_for_status()
        cluster.wait(lambda: not storage.exists(keys.report), 300)
        assert ended(cluster, WATCH_DAG_ID, first) == "success"
    kept = cluster.api.xcom(WATCH_DAG_ID, first, "keep_files")[cluster.monitor.name]
    assert kept["removed"] is True
    assert kept["files"] > 20
    assert kept["bytes"] > 0
    assert storage.list(keys.shown) == []
    assert not storage.exists(keys.assignments)
    for name in (keys.manifest, keys.predictions, keys.labels, keys.performance, keys.published):
        assert storage.exists(name), name
