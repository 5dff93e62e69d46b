"""The DAG of a monitor whose labels come from a table, and of one without labels: their steps, and whole runs on real images.

Production's log answers the days, so that no model is trained.
"""

from __future__ import annotations

import runpy
import shutil
import threading
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from tests.driftwatch.labels.table_days import by_table
from tests.driftwatch.models.conftest import file_of, striped
from tests.stores import SMALLEST, monitor_store

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.cli import main
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage

DAY, IMAGES = date(2026, 1, 20), 60
CLASSES = ("across", "upright")
OF_IMAGES = {
    "ingest_images", "ingest_shards", "merge_shards", "profile_shards", "profile_features", "upload_features", "predict_shards", "predict_labels",
    "day_done",
}  # fmt: skip
OF_LABELS = {
    "wait_for_annotations", "merge_annotations", "evaluate_performance", "upload_performance", "check_performance",
    "trigger_retraining", "performance_ok",
}  # fmt: skip
LATER = {
    "follow_labels", "upload_correction", "check_correction", "retrain_after_correction", "correction_ok", "labels_done",
}  # fmt: skip
PEOPLE = {"check_with": "toloka", "project_name": "p", "question": "q", "instructions": "i"}
WITHOUT_LABELS = {name: value for name, value in SMALLEST.items() if name != "annotation"}
NOTIFIERS = [{"notifier": "airflow.sdk.BaseNotifier"}]


@pytest.fixture(scope="module")
def made(root):
    """Makes the monitoring DAG of a monitor."""
    return runpy.run_path(str(root / "dags/image_monitoring.py"))["monitoring_dag"]


@pytest.fixture(scope="module")
def retraining(root):
    return runpy.run_path(str(root / "dags/model_retraining.py"))["retraining_dag"]


def test_without_labels_there_are_only_the_steps_of_the_images_and_no_retraining(made, retraining):
    monitor = MonitorConfig.model_validate(WITHOUT_LABELS)
    dag = made(monitor)
    assert set(dag.task_ids) == OF_IMAGES
    assert dag.get_task("day_done").upstream_task_ids == {"upload_features", "predict_labels"}
    assert retraining(monitor) is None
    told = made(MonitorConfig.model_validate({**WITHOUT_LABELS, "notifiers": NOTIFIERS}))
    assert set(told.task_ids) - OF_IMAGES == {"tell_drift", "tell_failure"}


def test_a_table_is_waited_for_beside_the_images_and_followed_after_the_verdict(made, retraining):
    monitor = by_table("file:///unused", {"wait_days": 20})
    dag = made(monitor)
    assert set(dag.task_ids) == OF_IMAGES | OF_LABELS | LATER
    assert dag.get_task("wait_for_annotations").upstream_task_ids == {"ingest_images", "merge_shards"}
    assert dag.get_task("evaluate_performance").upstream_task_ids == {"predict_labels", "merge_annotations"}
    assert dag.get_task("follow_labels").upstream_task_ids == {"evaluate_performance", "upload_performance"}
    assert dag.get_task("upload_correction").upstream_task_ids == {"follow_labels"}
    assert dag.get_task("check_correction").upstream_task_ids == {"follow_labels"}  # a sink that is away hides no alert
    # The day is done with its first verdict: it is not shown as failed for weeks.
    assert not {*LATER} & dag.get_task("day_done").upstream_task_ids
    assert dag.max_active_runs == 24
    assert retraining(monitor) is not None
    both = [dag.get_task(name).trigger_run_id for name in ("trigger_retraining", "retrain_after_correction")]
    assert both[0] == both[1]


def test_where_whylabs_is_asked_it_is_asked_about_the_correction_too_and_people_are_told_what_it_said(made):
    publish = {"sinks": ["whylabs"], "dataset": "m", "alert_source": "whylabs"}
    raw = {**by_table("file:///unused").model_dump(exclude_unset=True), "publish": publish, "notifiers": NOTIFIERS}
    dag = made(MonitorConfig.model_validate(raw))
    assert dag.get_task("check_correction").upstream_task_ids == {"follow_labels", "upload_correction"}
    told = {"follow_labels", "retrain_after_correction", "correction_ok"}
    assert dag.get_task("tell_correction").upstream_task_ids == told


def test_people_who_check_a_table_hold_nothing_up(made):
    dag = made(by_table("file:///unused", PEOPLE))
    people = {"create_annotation_pool", "wait_for_people", "merge_people", "compare_with_people"}
    assert set(dag.task_ids) == OF_IMAGES | OF_LABELS | LATER | people
    assert dag.get_task("compare_with_people").upstream_task_ids == {"evaluate_performance", "merge_people"}
    for name in {*OF_LABELS, *LATER} - {"labels_done"}:
        assert not people & dag.get_task(name).upstream_task_ids, name
    assert all(task.doc_md for task in dag.tasks if hasattr(task, "monitor"))


RUNS = """
import json, runpy, sys
from datetime import datetime, timezone
from airflow.sdk import DAG

states = {}
for file in ("image_monitoring", "model_retraining"):
    for dag_id, dag in runpy.run_path(sys.argv[1] + "/" + file + ".py").items():
        if isinstance(dag, DAG):
            globals()[dag_id] = dag
            states.setdefault("dags", []).append(dag_id)
            dag.fileloc = __file__ if "__file__" in globals() else sys.argv[1]
for name in sys.argv[2:]:
    dag = globals()[name + "_monitoring"]
    for task in dag.tasks:
        task.retries = 0
    run = dag.test(logical_date=datetime(2026, 1, 20, tzinfo=timezone.utc))
    states[name] = {ti.task_id: str(ti.state) for ti in run.get_task_instances()} | {"run": str(run.state)}
print(json.dumps(states))
"""


def monitor_file(home: Path, name: str, layout: dict[str, Any] | None = None, **more: Any) -> Path:
    """A monitor whose days production answers."""
    logged = {
        "path": f"{name}/answers/{{day}}.csv",
        "columns": {"key": "file", "prediction": "said"},
        "settle_seconds": 0,
    }
    section = {
        "name": name,
        "classes": [*CLASSES],
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": f"file://{home}/storage"},
        "images": {"settle_seconds": 0, "layout": layout},
        "model": {"input_size": 32, "predictions": "logged", "logged": logged, "content_features": "none"},
        "publish": {"sinks": ["local"]},
    }
    path = home / "monitors" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({**section, **more}))
    return path


def put_world(home: Path, path: Path, name: str) -> None:
    """A champion, and a day of images with production's answers to them."""
    storage, keys, rng = open_storage(f"file://{home}/storage"), MonitorKeys(name), np.random.default_rng(0)
    rows = []
    for number in range(300):
        label = CLASSES[number % 2]
        storage.write_bytes(keys.training_image(label, f"{number}.png"), file_of(striped(rng, label)))
        rows.append((f"{label}/{number}.png", label if number % 11 else CLASSES[1 - number % 2]))
    pd.DataFrame(rows, columns=["file", "said"]).to_csv(home / f"{name}.csv", index=False)
    assert main(["champion", "import", str(path), "--answers", str(home / f"{name}.csv")]) in (0, None)
    day = []
    for number in range(IMAGES):
        label = CLASSES[number % 2]
        storage.write_bytes(f"{keys.day(DAY).incoming}/{number}.png", file_of(striped(rng, label)))
        day.append((f"{number}.png", label if number % 12 else CLASSES[1 - number % 2]))
    text = pd.DataFrame(day, columns=["file", "said"]).to_csv(index=False)
    storage.write_bytes(f"{name}/answers/{DAY}.csv", text.encode())


def put_truth(home: Path, labels: int) -> None:
    """The truth of the first images, written aside and then renamed."""
    rows = [(f"{number}.png", CLASSES[number % 2]) for number in range(labels)]
    text = pd.DataFrame(rows, columns=["file", "truth"]).to_csv(index=False)
    open_storage(f"file://{home}/storage").write_bytes(f"tabled/truth/{DAY}.csv", text.encode())


@pytest.fixture(scope="module")
def runs(root: Path, tmp_path_factory, dag_runs, pytestconfig) -> tuple[dict[str, Any], Path]:
    """The states of the tasks of both monitors' days, and the storage's folder. The images of `tabled` lie apart from it. The table is complete only after the first verdict. The plain
    suite runs the day of the table alone."""
    home = tmp_path_factory.mktemp("airflow")
    table = {
        "covers": "all",
        "path": "tabled/truth/{day}.csv",
        "columns": {"key": "file", "label": "truth"},
        "settle_seconds": 0,
        "look_hours": 0.0005,
    }
    labels = {"backend": "table", "wait_days": 366, "table": table}
    apart = {"paths": f"file://{home}/cams/{{day:%Y/%m/%d}}"}
    put_world(home, monitor_file(home, "tabled", apart, labels=labels), "tabled")
    monitor_file(home, "unlabelled")
    shutil.copytree(home / "storage/tabled", home / "storage/unlabelled")
    (home / f"cams/{DAY:%Y/%m}").mkdir(parents=True)
    (home / f"storage/tabled/incoming/{DAY}").rename(home / f"cams/{DAY:%Y/%m/%d}")
    put_truth(home, 50)
    env = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
        "DRIFTWATCH_MONITORS": str(home / "monitors"),
    }
    names = ("unlabelled", "tabled") if pytestconfig.getoption("--all-faults") else ("tabled",)
    dag_runs.start(home, RUNS, str(root / "dags"), *names, env=env)
    published = home / f"storage/tabled/days/{DAY}/published.json"
    threading.Thread(target=complete_the_truth, args=(home, published), daemon=True).start()
    return dag_runs.told(home), home / "storage"


def complete_the_truth(home: Path, published: Path) -> None:
    """Once the first verdict is out."""
    while not (published.exists() and "performance" in published.read_text()):
        time.sleep(0.2)
    put_truth(home, IMAGES)


@pytest.mark.all_faults("the plain suite runs the day of a table, which has all of its tasks")
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_day_without_labels_runs_to_its_end_with_drift_and_a_report(runs):
    states, storage = runs
    assert states["unlabelled"]["run"] == "success"
    assert {states["unlabelled"][name] for name in ("predict_labels", "upload_features", "day_done")} == {"success"}
    assert states["dags"] == ["tabled_monitoring", "unlabelled_monitoring", "tabled_retraining"]
    day = storage / f"unlabelled/days/{DAY}"
    assert not (day / "performance.json").exists()
    report = (day / "report.html").read_text()
    assert "no labels, so unknown" in report
    assert "Model: not known yet" not in report
    assert "when the labels are in" not in report


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_days_labels_come_from_the_table_and_the_correction_is_published_when_they_are_complete(runs):
    states, storage = runs
    tabled = states["tabled"]
    assert tabled["run"] == "success"
    assert {tabled[name] for name in (*LATER, *OF_LABELS) if "retrain" not in name} == {"success"}
    assert (tabled["trigger_retraining"], tabled["retrain_after_correction"]) == ("skipped", "skipped")
    config = by_table(f"file://{storage}")
    day = monitor_store(open_storage(f"file://{storage}"), MonitorKeys("tabled"), config).day(DAY)
    found = day.read(Performance)
    assert (found.labels, found.truth.open, found.verdict) == (IMAGES, False, "ok")
    assert [earlier.labels for earlier in found.revisions] == [50]
    assert day.read(LabelTable).rows == IMAGES
    uploads = day.storage.read_json(day.keys.published)["uploads"]
    at = f"file://{storage.parent}/cams/2026/01/20"
    keys = day.storage.read_table(day.keys.manifest)["key"].tolist()
    assert sorted(keys) == sorted(f"{at}/{number}.png" for number in range(IMAGES))
    left = [path.name for path in (storage.parent / "cams/2026/01/20").iterdir()]
    assert sorted(left) == sorted(f"{number}.png" for number in range(IMAGES))
    assert not (storage / "tabled/incoming").exists() or not any((storage / "tabled/incoming").iterdir())
    live = [(row["kind"], row["revision"], row["state"]) for row in uploads if row["state"] == "done"]
    assert sorted(live) == [("features", 2, "done"), ("performance", 2, "done")]
