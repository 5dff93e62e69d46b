"""A day of 1,700 images in shards on two Celery workers, with Postgres, Redis and an S3 API; one worker dies in the middle. Then an image is
forgotten, the watch looks, and what is over is removed.

It costs two minutes of CPU, so `make test` leaves it out: `make test-faults` runs it.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from tests.end_to_end import light_site
from tests.end_to_end.cluster import BUCKET, DAY, Cluster, kill_the_busiest, settings, start_worker
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_airflow.paths import WATCH_DAG_ID
from driftwatch_sandbox.demo import week
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
IMAGES = 1_700
COPY, CUT_SHORT = "zz-copy.jpg", "zz-cut-short.jpg"  # as s3_server.py has them
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
