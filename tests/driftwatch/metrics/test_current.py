"""The numbers of a monitor are those of its newest days, and Prometheus' own tool reads them."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.loader import load_monitor
from driftwatch.metrics.current import samples_now
from driftwatch.metrics.names import METRICS, Sample
from driftwatch.metrics.text import exposition
from driftwatch.storage import open_storage

LAST = date(2026, 6, 14)
NOW = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, root: Path) -> MonitorStore:
    """Three generated days."""
    from driftwatch_sandbox.demo.year import Year

    place = tmp_path_factory.mktemp("metrics")
    raw = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8"))
    raw["storage"] = {"uri": f"file://{place}/storage"}
    raw["schedule"]["start_date"] = date(2026, 6, 1)
    (place / "monitor.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    config = load_monitor(place / "monitor.yaml")
    Year(open_storage(config.storage.uri), config, LAST, days=3).write()
    return MonitorStore(open_storage(config.storage.uri), config)


@pytest.fixture
def store(written: MonitorStore, tmp_path: Path) -> MonitorStore:
    """A copy of them."""
    shutil.copytree(written.storage.root, tmp_path / "storage")
    return MonitorStore(open_storage(f"file://{tmp_path}/storage"), written.config)


def now(store: MonitorStore) -> dict[tuple[str, ...], float]:
    return {(sample.name, *sample.labels): sample.value for sample in samples_now(store, store.find, NOW)}


def test_each_number_is_that_of_the_newest_day_which_has_it(store) -> None:
    day, before = store.day(LAST), store.day(LAST - timedelta(days=1))
    store.storage.delete(day.key(Performance))  # its labels are not in yet
    found, ingest, performance = now(store), day.read(Ingest), before.read(Performance)
    assert found["images", "listed"] == ingest.listed
    assert found["images", "quarantined"] == ingest.quarantined
    assert found["drifted", "image_quality"] == (day.read(DayDrift).verdict == "drifted")
    assert performance.judged is not None
    assert found["accuracy", "value"] == performance.judged.value
    assert found["accuracy", "low"] < found["accuracy", "value"] < found["accuracy", "high"]
    assert found["labels", "labelled"] == performance.labels
    assert sum(value for (name, *_), value in found.items() if name == "verdict") == 1
    assert found["verdict", performance.verdict] == 1
    midnight = datetime(2026, 6, 14, tzinfo=timezone.utc).timestamp()
    assert found["day_timestamp_seconds", "images"] == midnight
    assert found["day_timestamp_seconds", "verdict"] == midnight - 86400


def test_a_failed_day_an_open_pool_and_the_months_spend_are_told(store) -> None:
    assert now(store)["day_failed",] == 0
    store.day(LAST).write(Failure(task="ingest_images", reason="no image"))
    plan = store.day(LAST).read(AnnotationPlan)
    lasts = timedelta(hours=store.config.labels.expire_hours)
    store.day(LAST).write(plan.model_copy(update={"state": "opened", "expires": NOW - timedelta(hours=5) + lasts}))
    found = now(store)
    assert found["day_failed",] == 1
    assert found["label_queue_age_seconds",] == 5 * 3600
    assert found["label_spend_usd", "day"] == plan.cost.total
    assert found["label_spend_usd", "month"] > found["label_spend_usd", "day"]
    assert found["label_budget_usd", "month"] == store.config.labels.max_cost_per_month


def test_a_monitor_without_a_day_has_its_budget_alone(store) -> None:
    empty = MonitorStore(open_storage(f"{store.storage.uri}/elsewhere"), store.config)
    assert {name for name, *_ in now(empty)} == {"label_budget_usd"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)")
def test_prometheus_own_tool_reads_all_of_it_and_every_metric_is_there(store) -> None:
    every = [Sample(metric.name, 0.5, tuple('a"\\\nb' for _ in metric.labels)) for metric in METRICS]
    text = exposition({"cats": samples_now(store, store.find, NOW), "odd": every}, {"cats": False, "gone": True})
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=60)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stderr + text
    assert 'driftwatch_monitor_readable{monitor="gone"} 0' in text
    assert 'driftwatch_images_quarantined{monitor="odd",reason="a\\"\\\\\\nb"} 0.5' in text
