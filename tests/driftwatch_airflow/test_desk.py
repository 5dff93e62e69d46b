"""The tasks of a day that people label at a real desk: what it has cost."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timezone
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from tests.deferred import run_task
from tests.driftwatch.labels.backends.desk_service import desk

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.store import MonitorStore
from driftwatch.labels.backends.base import Pool
from driftwatch.labels.backends.desk.backend import DeskBackend
from driftwatch.storage import open_storage
from driftwatch_airflow.operators import annotation
from driftwatch_airflow.operators.annotation import CreateAnnotationPoolOperator, MergeAnnotationsOperator

DAY = date(2026, 11, 20)


def context() -> Any:
    ti = SimpleNamespace(start_date=datetime.now(timezone.utc), xcom_push=lambda key, value: None)
    return {"ti": ti, "params": {}, "dag_run": SimpleNamespace(run_type="manual"), "run_id": "r"}


@pytest.fixture
def store(tmp_path, small_monitor):
    """Three images, which two people label, and a control task on each page. An hour costs 18 USD."""
    settings = {"backend": "desk", "price_per_hour": 18, "overlap": 2, "tasks_per_page": 3, "control_tasks_per_page": 1}
    monitor = small_monitor(f"file://{tmp_path}/storage", annotation={**settings, "sample_size": 3, "control_tasks": 1})
    storage = open_storage(monitor.storage.uri)
    found = MonitorStore(storage, monitor)

    def put(name: str) -> tuple[str, str]:
        data = b"\xff\xd8\xff" + name.encode()
        storage.write_bytes(f"demo/{name}", data)
        return f"demo/{name}", hashlib.sha256(data).hexdigest()

    rows = [(*put(f"{number}.jpg"), "accepted") for number in range(3)]
    storage.write_table(found.keys.day(DAY).manifest, pd.DataFrame(rows, columns=["key", "image_id", "status"]))
    known = [(*put(f"known{number}.jpg"), "cat", "evaluation") for number in range(2)]
    columns = ["key", "image_id", "label", "split"]
    storage.write_table(found.keys.training_set, pd.DataFrame(known, columns=columns))
    return found


def test_the_merge_says_what_peoples_time_has_cost_also_on_pages_that_were_too_fast_or_given_back(
    store, tmp_path, monkeypatch
):
    images = {"conn_type": "http", "host": "http://127.0.0.1:9", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_DRIFTWATCH_IMAGES", json.dumps(images))
    monkeypatch.setenv("AIRFLOW_CONN_DRIFTWATCH_DESK_DEFAULT", json.dumps(images | {"conn_type": "driftwatch_desk"}))
    with desk(tmp_path, monkeypatch) as service:
        site = service.site
        backend = DeskBackend(lambda: site.access(site.connection, "token"))
        monkeypatch.setattr(annotation, "label_backend_of", lambda *_: backend)

        def run(kind: Any) -> Any:
            return run_task(kind(task_id="t", monitor=store.config, day=str(DAY)), context())

        run(CreateAnnotationPoolOperator)
        day = store.day(DAY)
        pool = Pool.of(day.read(AnnotationPlan), store.config.labels)
        shown = service.shown(pool)
        service.answer(pool, "ann", "cat", shown, seconds=360)
        service.answer(pool, "haste", "dog", shown, seconds=2)
        service.answer(pool, "ben", "cat", shown[:2], seconds=180)
        ben = service.browser("ben")
        page = ben.post(f"/pools/{pool.pool_id}/page", json={}).raise_for_status().json()["page"]
        ben.post(f"/pages/{page['id']}/skip", json={}).raise_for_status()
        merged = run(MergeAnnotationsOperator)
    answers = day.storage.read_table(day.keys.assignments).drop_duplicates("assignment_id")
    assert dict(zip(answers["annotator_id"], answers["status"], strict=True)) == {
        "ann": "ACCEPTED",
        "haste": "REJECTED",
    }
    assert merged["spent"] == day.read(AnnotationPlan).progress.spent
    assert merged["spent"] == pytest.approx(18 * (360 + 2 + 180) / 3600, abs=0.05)
