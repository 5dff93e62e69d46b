"""What a step tells Airflow's metrics, as a collector of OpenTelemetry and a StatsD server get it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from tests.driftwatch.artifacts import samples
from tests.driftwatch_airflow.measures_receiver import collecting

from driftwatch.metrics.names import METRICS
from driftwatch.storage import open_storage

DAY = date(2026, 1, 20)
# A step as Airflow's task runner runs it, in a process that ends as a task's does.
STEP = """
import sys
from airflow.sdk.observability import stats  # set up as Airflow's task runner does
from airflow.sdk.observability.metrics import stats_utils
stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)
from driftwatch.config.loader import load_monitor
from driftwatch.outside import note_repeat
from driftwatch_airflow.monitor import DayOperator

class Step(DayOperator):
    def execute(self, context):
        note_repeat("toloka")
        note_repeat("toloka")

step = Step(task_id="ingest_images", monitor=load_monitor(sys.argv[1]), day="2026-01-20")
step.pre_execute({})
step.execute({})
for callback in step.on_success_callback:  # Airflow leaves post_execute out where a step has others skipped, as ingest_images does
    callback({"task": step})
"""


@pytest.fixture
def monitor(tmp_path: Path, root: Path) -> Path:
    """A monitor file, and a day that was taken in."""
    raw = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8"))
    raw["storage"] = {"uri": f"file://{tmp_path}/storage"}
    (tmp_path / "monitor.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    storage = open_storage(f"file://{tmp_path}/storage")
    found = {**samples.INGEST, "day": str(DAY), "quarantined": 2, "reasons": {"not_an_image": 2}}
    storage.write_json(f"cats_vs_dogs/days/{DAY}/ingest.json", found)
    return tmp_path / "monitor.yaml"


def step(monitor: Path, **settings: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STEP, str(monitor)],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be told" not in done.stderr + done.stdout


def test_opentelemetry_gets_each_number_with_its_labels(monitor) -> None:
    with collecting() as (url, points):
        step(
            monitor,
            AIRFLOW__METRICS__OTEL_ON="True",
            OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=f"{url}/v1/metrics",
            OTEL_EXPORTER_OTLP_METRICS_PROTOCOL="http/protobuf",
        )
    ours = {(name.partition("driftwatch.")[2], tags): value for (name, tags), value in points.items()}
    of = ("monitor", "cats_vs_dogs")
    assert ours["images", (of, ("status", "quarantined"))] == 2
    assert ours["images_quarantined", (of, ("reason", "not_an_image"))] == 2
    assert ours["service_repeats", (of, ("service", "toloka"))] == 2
    assert ours["step_seconds", (of, ("step", "ingest_images"))] < 60
    assert ours["step_peak_memory_bytes", (of, ("step", "ingest_images"))] > 20e6


def test_statsd_gets_the_labels_in_the_name_and_the_mapping_of_the_exporter_knows_each(monitor, root) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(2)
        port = server.getsockname()[1]
        step(
            monitor,
            AIRFLOW__METRICS__STATSD_ON="True",
            AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
            AIRFLOW__METRICS__STATSD_PORT=str(port),
        )
        server.setblocking(False)
        told = set()
        while True:
            try:
                told.add(server.recv(4096).decode())
            except BlockingIOError:
                break
    assert "airflow.driftwatch.images.cats_vs_dogs.quarantined:2|g" in told
    assert "airflow.driftwatch.service_repeats.cats_vs_dogs.toloka:2|c" in told


def test_the_exporters_mapping_has_each_metric(root) -> None:
    mappings = yaml.safe_load((root / "deploy/prometheus/statsd_mapping.yaml").read_text(encoding="utf-8"))["mappings"]
    assert mappings == [
        {
            "match": ".".join(["airflow.driftwatch", metric.name, "*", *("*" for _ in metric.labels)]),
            "name": f"driftwatch_{metric.name}",
            "labels": {name: f"${place}" for place, name in enumerate(("monitor", *metric.labels), 1)},
        }
        for metric in METRICS
    ]


def test_where_no_metrics_are_on_nothing_is_read_and_nothing_sent() -> None:
    from driftwatch_airflow.measures import tell_step

    def read() -> None:
        raise AssertionError("read without need")

    tell_step("cats", "ingest_images", 1.0, read)
