"""The watch DAG on a real Airflow: whom it calls, over real HTTP, in four hours of a monitor."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI, Request
from tests.driftwatch.artifacts import samples
from tests.stores import SMALLEST

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch_servers.serving import running

DAY = date(2026, 1, 20)
RUNS = """
import json, runpy, sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.models.dag import DagModel
from airflow.utils.session import create_session

dag = runpy.run_path(sys.argv[1])["dag"]
dag.fileloc = sys.argv[1]
for task in dag.tasks:
    task.retries = 0
monitor, states = Path(sys.argv[2]), []

DagBundlesManager().sync_bundles_to_db()


def pause(paused):
    with create_session() as session:
        for kind in ("monitoring", "retraining"):
            session.merge(DagModel(dag_id=f"absent_{kind}", bundle_name="dags-folder", is_paused=paused, is_stale=False))


def look(hour):
    at = datetime(2026, 1, 23, 12 + hour, tzinfo=timezone.utc)
    run = dag.test(logical_date=at, run_after=at)
    states.append({ti.task_id: str(ti.state) for ti in run.get_task_instances()} | {"run": str(run.state)})


pause(True)
look(1)
look(2)
pause(False)
look(3)
monitor.write_text(monitor.read_text() + "colour: red\\n")
look(4)
print(json.dumps({"states": states, "heavy": [name for name in ("tensorflow", "keras") if name in sys.modules]}))
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """What is called, in order: the path, and of a message its body."""
    app, called = FastAPI(), []

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def take(path: str, request: Request) -> dict[str, str]:
        body = await request.body()
        called.append((path, json.loads(body) if body else None))
        return {}

    with running(app) as url:
        yield url, called


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_each_hour_what_is_new_is_told_once_and_then_the_ping_is_called(root: Path, tmp_path, dag_runs, receiver):
    url, called = receiver
    storage, keys = open_storage(f"file://{tmp_path}/storage"), MonitorKeys("absent")
    storage.write_json(keys.model_card(samples.VERSION), samples.CARD)
    storage.write_json(keys.champion, {"version": samples.VERSION})
    storage.write_bytes(keys.model(samples.VERSION), b"model")
    storage.write_json(keys.day(DAY).ingest, samples.INGEST)
    notifier = {
        "notifier": "airflow.providers.http.notifications.http.HttpNotifier",
        "arguments": {
            "http_conn_id": "receiver",
            "endpoint": "message",
            "json": {"kind": "{{ alert.kind }}", "subject": "{{ alert.subject }}"},
        },
    }
    file = tmp_path / "monitors/absent.yaml"
    file.parent.mkdir()
    raw = {**SMALLEST, "name": "absent", "storage": {"uri": f"file://{tmp_path}/storage"}, "notifiers": [notifier]}
    file.write_text(yaml.safe_dump(raw))
    env = {
        "DRIFTWATCH_MONITORS": str(file.parent),
        "AIRFLOW_CONN_RECEIVER": url,
        "AIRFLOW_VAR_DRIFTWATCH_WATCH_PING_URL": f"{url}/ping/5ec2e7",
    }
    dag_runs.start(tmp_path, RUNS, str(root / "dags/driftwatch_watch.py"), str(file), env=env)
    told = dag_runs.told(tmp_path)
    ended = dict.fromkeys(("look_at_monitors", "tell_findings", "ping", "run"), "success")
    # The first run of a day looks for files that are over.
    kept = [{"keep_files": state} for state in ("success", "skipped", "skipped", "skipped")]
    assert told == {"states": [ended | state for state in kept], "heavy": []}
    assert [body["subject"] for _, body in called if body] == [
        "[absent] absent_monitoring and absent_retraining are paused",
        "[absent] 1 day without a verdict: 2026-01-20",
        "[absent] No DAG is paused any more",
        "[absent] 1 monitor file refused: absent.yaml",
    ]
    assert [path for path, body in called if body is None] == ["ping/5ec2e7"] * 4


def test_the_watch_looks_each_hour_from_the_beginning_and_does_not_wait_for_who_is_told(root):
    dag = runpy.run_path(str(root / "dags/driftwatch_watch.py"))["dag"]
    assert dag.is_paused_upon_creation is False
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert dag.get_task("look_at_monitors").downstream_task_ids == {"tell_findings", "ping"}
    kept = dag.get_task("keep_files")
    assert (kept.upstream_task_ids, kept.downstream_task_ids, kept.retries) == (set(), set(), 0)


def test_airflow_calls_for_a_day_that_is_late_where_there_is_somebody_to_tell(root):
    made = runpy.run_path(str(root / "dags/image_monitoring.py"))["monitoring_dag"]
    assert not made(MonitorConfig.model_validate(SMALLEST)).deadline
    told = {**SMALLEST, "notifiers": [{"notifier": "airflow.sdk.BaseNotifier"}]}
    (alert,) = made(MonitorConfig.model_validate(told)).deadline
    assert alert.interval == timedelta(hours=60)  # 6 of delivery, 48 of labelling, 6 of steps
    assert (alert.callback.path, alert.callback.kwargs) == ("driftwatch_airflow.watch.day_is_late", {"monitor": "demo"})
