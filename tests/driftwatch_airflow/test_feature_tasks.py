"""Ingest as the scheduler sees it: an empty day, a day of bad files, and the model that a day keeps."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.config.monitor_files import load_monitor
from driftwatch.errors import EmptyDay, TooManyRejects
from driftwatch.storage import Storage
from driftwatch_airflow.operators import features
from driftwatch_airflow.operators.annotation import EvaluatePerformanceOperator
from driftwatch_airflow.operators.features import IngestImagesOperator, PredictLabelsOperator, ProfileFeaturesOperator

DAY = "2026-11-20"
LAYOUT = MonitorLayout("cats_vs_dogs")


class TaskInstance:
    """As much of a task instance as the first task of a day touches."""

    map_index = -1

    def __init__(self) -> None:
        self.xcom: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = json.loads(json.dumps(value))


@pytest.fixture
def site(tmp_path, root: Path, monkeypatch):
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    told: list[str] = []
    monkeypatch.setattr(features, "send_alert", lambda context, monitor, kind, facts: told.append(kind))
    storage = Storage(f"file://{tmp_path}")
    storage.write_json(LAYOUT.champion, {"version": "v0001-00000001"})
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")

    def ingest(**images: Any) -> dict[str, Any]:
        changed = monitor.model_copy(update={"images": monitor.images.model_copy(update=images)})
        operator = IngestImagesOperator(task_id="ingest", monitor=changed, day=DAY)
        ti = TaskInstance()
        assert operator.execute({"dag_run": SimpleNamespace(run_type="manual"), "ti": ti}) == []
        return ti.xcom["counts"]

    return SimpleNamespace(storage=storage, told=told, ingest=ingest, monitor=monitor)


def photo(seed: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (60, 80, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def deliver(storage: Storage, **files: bytes) -> None:
    for name, data in files.items():
        storage.write_bytes(f"cats_vs_dogs/incoming/{DAY}/{name}.jpg", data)


def test_an_empty_day_fails_or_skips_as_the_setting_says_and_is_told_either_way(site):
    with pytest.raises(EmptyDay, match=r"incoming/2026-11-20 holds no images .*images\.on_empty_day"):
        site.ingest(on_empty_day="fail")
    with pytest.raises(AirflowSkipException, match="holds no images"):
        site.ingest(on_empty_day="skip")
    assert site.told == ["empty_day", "empty_day"]


def test_too_many_bad_files_fail_the_day_after_each_was_recorded(site):
    deliver(site.storage, good=photo(1), text=b"no image", empty=b"")
    with pytest.raises(TooManyRejects, match=r"images\.max_reject_share"):
        site.ingest(max_reject_share=0.5)
    assert site.told == ["too_many_rejects"]
    manifest = site.storage.read_table(LAYOUT.day(date.fromisoformat(DAY)).manifest)
    assert manifest["status"].value_counts().to_dict() == {"quarantined": 2, "accepted": 1}
    assert site.ingest(max_reject_share=0.7)["accepted"] == 1


def test_a_day_keeps_the_model_that_it_was_first_judged_by(site):
    deliver(site.storage, one=photo(1), two=photo(2))
    first = site.ingest()
    site.storage.write_json(LAYOUT.champion, {"version": "v0002-00000002"})
    assert site.ingest() == first
    assert first["model_version"] == "v0001-00000001"


@pytest.mark.parametrize("drifted", [None, "content", "predictions"])
def test_drift_of_what_the_model_sees_is_told_as_soon_as_it_has_answered(site, monkeypatch, drifted):
    judged = {kind: {"verdict": "drifted" if kind == drifted else "ok"} for kind in ("content", "predictions")}
    monkeypatch.setattr("driftwatch.models.predict.predict_day", lambda *_: {"images": 3})
    monkeypatch.setattr("driftwatch.accuracy.without_labels.estimate_day", lambda *_: {"accuracy": {}})
    monkeypatch.setattr("driftwatch.drift.content_drift.judge_answers", lambda *_: judged)
    monkeypatch.setattr("driftwatch.view.report.write_report", lambda *_: "report.html")
    site.storage.write_json(LAYOUT.day(date(2026, 11, 20)).ingest, {"model_version": "v0001-00000001"})
    found = PredictLabelsOperator(task_id="predict", monitor=site.monitor, day=DAY).execute({})
    assert site.told == (["drift"] if drifted else [])
    assert found["images"] == 3


@pytest.mark.parametrize(
    ("verdict", "crossed", "told"), [("ok", False, []), ("ok", True, ["drift"]), ("drifted", False, ["drift"])]
)
def test_a_drifted_day_and_a_new_trend_are_told(site, monkeypatch, verdict, crossed, told):
    trend = {"verdict": "drifted" if crossed else "ok", "crossed": crossed}
    drift = {"verdict": verdict, "drifted_features": [], "p_value": 0.4, "n": 50, "trend": trend}
    monkeypatch.setattr("driftwatch.drift.drift.profile_day", lambda *_: drift)
    monkeypatch.setattr("driftwatch.view.report.write_report", lambda *_: "report.html")
    site.storage.write_json(LAYOUT.day(date(2026, 11, 20)).ingest, {"model_version": "v0001-00000001"})
    ProfileFeaturesOperator(task_id="profile", monitor=site.monitor, day=DAY).execute({})
    assert site.told == told


@pytest.fixture
def day_of(site, root, monkeypatch):
    """Runs the DAG's own first task and those of the shards, with blocks of two files."""
    from airflow.dag_processing.dagbag import DagBag

    from driftwatch.images import ingest, one_pass, shards

    for module in (ingest, one_pass, shards):
        monkeypatch.setattr(module, "BLOCK", 2)
    dag = DagBag(str(root / "dags")).dags["cats_vs_dogs_monitoring"]

    def operator(task_id: str, shard_size: int, **mapped: Any) -> Any:
        task = dag.get_task(task_id)
        task = task.unmap(mapped) if mapped else task
        images = task.monitor.images.model_copy(update={"shard_size": shard_size})
        task.monitor, task.day = task.monitor.model_copy(update={"images": images}), DAY
        return task

    return operator


def test_a_day_of_one_shard_skips_the_tasks_for_several_at_once(site, day_of):
    deliver(site.storage, one=photo(1), two=photo(2), three=photo(3))
    ti = TaskInstance()
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        day_of("ingest_images", 4).execute({"dag_run": SimpleNamespace(run_type="manual"), "ti": ti})
    assert skipped.value.tasks == ["ingest_shards", "merge_shards", "predict_shards"]
    assert ti.xcom["counts"]["accepted"] == 3


def test_a_larger_day_is_mapped_over_shards_named_in_the_ui(site, day_of):
    deliver(site.storage, one=photo(1), two=photo(2), three=photo(3), zebra=photo(1))
    whole = site.ingest(shard_size=4)
    context = {"dag_run": SimpleNamespace(run_type="manual"), "ti": TaskInstance()}
    shards = json.loads(json.dumps(day_of("ingest_images", 2).execute(context)))
    assert [shard["name"] for shard in shards] == ["shard 1 of 2, files 1 to 2", "shard 2 of 2, files 3 to 4"]
    counts = [day_of("ingest_shards", 2, shard=shard).execute({}) for shard in shards]
    assert [found["accepted"] for found in counts] == [2, 2]
    assert day_of("merge_shards", 2).execute({}) == whole
    assert whole["duplicate"] == 1


def test_late_images_are_told_with_the_counts_and_at_the_evaluation(site, capsys):
    keys = LAYOUT.day(date.fromisoformat(DAY))
    deliver(site.storage, one=photo(1), two=photo(2))
    site.ingest()
    site.storage.write_json(keys.annotation, {"sample": []})
    deliver(site.storage, three=photo(3))
    evaluation = EvaluatePerformanceOperator(task_id="evaluate", monitor=site.monitor, day=DAY)
    assert evaluation._late_files() == 1
    assert f"1 files came after {DAY} was taken in" in capsys.readouterr().out
    assert site.ingest()["late"] == 1
    said = capsys.readouterr().out
    assert "1 of the 3 accepted images came after the day's sample was drawn" in said
    assert f"/driftwatch/m/cats_vs_dogs/days/{DAY}/#correction" in said
    assert evaluation._late_files() == 0


def test_a_later_day_that_is_damaged_is_named_and_stops_no_evaluation(site, capsys):
    site.storage.write_bytes(LAYOUT.day(date(2026, 11, 21)).performance, b"{half")
    assert EvaluatePerformanceOperator(task_id="evaluate", monitor=site.monitor, day=DAY)._outdated() == []
    assert "days/2026-11-21/performance.json is no whole JSON" in capsys.readouterr().out


@pytest.mark.parametrize(
    "card",
    [{"classes": ["dog", "cat"]}, {"classes": ["cat", "dog", "bird"]}, {"classes": ["cat", "dog"], "input_size": 64}],
)
def test_a_file_that_describes_another_model_is_refused_before_the_day_is_rewritten(site, card):
    from driftwatch.models.as_trained import OtherModel

    deliver(site.storage, one=photo(1), two=photo(2))
    site.ingest()
    before = {item.key: site.storage.read_bytes(item.key) for item in site.storage.list(LAYOUT.days)}
    deliver(site.storage, three=photo(3))
    site.storage.write_json(LAYOUT.model_card("v0001-00000001"), card)
    with pytest.raises(OtherModel, match="another model than the monitor file describes"):
        site.ingest()
    assert {item.key: site.storage.read_bytes(item.key) for item in site.storage.list(LAYOUT.days)} == before


def test_an_earlier_models_day_is_taken_in_again_at_that_models_size(site):
    deliver(site.storage, one=photo(1))
    for version, size in (("v0001-00000001", 64), ("v0002-00000002", site.monitor.model.input_size)):
        site.storage.write_json(LAYOUT.model_card(version), {"classes": ["cat", "dog"], "input_size": size})
    site.storage.write_json(LAYOUT.champion, {"version": "v0002-00000002"})
    site.storage.write_json(LAYOUT.day(date.fromisoformat(DAY)).ingest, {"model_version": "v0001-00000001"})
    assert site.ingest()["input_size"] == 64
