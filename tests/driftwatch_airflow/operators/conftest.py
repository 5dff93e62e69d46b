"""A storage into which a day is delivered, and a day whose labels come from a table."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.driftwatch.labels.table_days import answered_day, by_table

from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.config.loader import load_monitor
from driftwatch.storage import Storage, open_storage
from driftwatch_airflow import episodes
from driftwatch_airflow.operators import ingest as ingesting
from driftwatch_airflow.operators import label_table
from driftwatch_airflow.operators.ingest import IngestImagesOperator

from .first_task import TaskInstance
from .table_site import Clock, Site

DAY = "2026-11-20"
LAYOUT = MonitorKeys("cats_vs_dogs")


@pytest.fixture
def delivered(tmp_path, root: Path, monkeypatch):
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    told: list[str] = []
    for module in (ingesting, episodes):
        monkeypatch.setattr(module, "send_alert", lambda context, monitor, alert, links=None: told.append(alert.kind))
    storage = open_storage(f"file://{tmp_path}")
    storage.write_json(LAYOUT.champion, {"version": "v0001-00000001"})
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")

    def deliver(**files: bytes) -> None:
        for name, data in files.items():
            storage.write_bytes(f"cats_vs_dogs/incoming/{DAY}/{name}.jpg", data)

    def ingest(**images: Any) -> dict[str, Any]:
        changed = monitor.model_copy(update={"images": monitor.images.model_copy(update=images)})
        operator = IngestImagesOperator(task_id="ingest", monitor=changed, day=DAY)
        ti = TaskInstance()
        assert operator.execute({"dag_run": SimpleNamespace(run_type="manual"), "ti": ti}) == []
        return ti.xcom["counts"]

    return SimpleNamespace(storage=storage, told=told, ingest=ingest, deliver=deliver, monitor=monitor)


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    return answered_day(by_table(f"file://{tmp_path_factory.mktemp('table')}"))


@pytest.fixture
def site(answered, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(label_table, "utcnow", clock)
    found = Site(answered, clock)
    monkeypatch.setattr(episodes, "send_alert", lambda *asked: found.told.append(asked[2].kind))
    monkeypatch.setattr(episodes, "nothing_to_tell", lambda *_: None)
    yield found
    storage: Storage = answered.storage
    for key in (
        answered.keys.performance,
        answered.keys.published,
        answered.key(LabelTable),
        answered.key(DayEpisodes),
    ):
        storage.delete(key)
    for item in [*storage.list("truth"), *storage.list("demo/profiles"), *storage.list(answered.keys.outbox)]:
        storage.delete(item.key)
