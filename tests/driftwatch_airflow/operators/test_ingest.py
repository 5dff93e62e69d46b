"""Ingest as the scheduler sees it: an empty day, a day of bad files, and the model that a day keeps."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.errors import EmptyDay, NeedsAttention, TooManyRejects
from driftwatch_airflow.operators.ingest import IngestImagesOperator
from driftwatch_airflow.operators.performance import EvaluatePerformanceOperator

from .first_task import TaskInstance, photo

DAY = "2026-11-20"
LAYOUT = MonitorKeys("cats_vs_dogs")


def test_an_empty_day_fails_or_skips_as_the_setting_says_and_is_told_either_way(delivered):
    with pytest.raises(EmptyDay, match=r"incoming/2026-11-20 holds no images .*images\.on_empty_day"):
        delivered.ingest(on_empty_day="fail")
    with pytest.raises(AirflowSkipException, match="holds no images"):
        delivered.ingest(on_empty_day="skip")
    assert delivered.told == ["empty_day", "empty_day"]


def test_too_many_bad_files_fail_the_day_after_each_was_recorded(delivered):
    delivered.deliver(good=photo(1), text=b"no image", empty=b"")
    with pytest.raises(TooManyRejects, match=r"images\.max_reject_share"):
        delivered.ingest(max_reject_share=0.5)
    assert delivered.told == ["too_many_rejects"]
    manifest = delivered.storage.read_table(LAYOUT.day(date.fromisoformat(DAY)).manifest)
    assert manifest["status"].value_counts().to_dict() == {"quarantined": 2, "accepted": 1}
    assert delivered.ingest(max_reject_share=0.7)["accepted"] == 1


def test_a_day_keeps_the_model_that_it_was_first_judged_by(delivered):
    delivered.deliver(one=photo(1), two=photo(2))
    first = delivered.ingest()
    delivered.storage.write_json(LAYOUT.champion, {**samples.POINTER, "version": "v0002-00000002"})
    assert delivered.ingest() == first
    assert first["model_version"] == "v0001-00000001"


@pytest.mark.parametrize(
    "card",
    [{"classes": ["dog", "cat"]}, {"classes": ["cat", "dog", "bird"]}, {"classes": ["cat", "dog"], "input_size": 64}],
)
def test_a_file_that_describes_another_model_is_refused_before_the_day_is_rewritten(delivered, card):
    from driftwatch.models.as_trained import OtherModel

    delivered.deliver(one=photo(1), two=photo(2))
    delivered.ingest()
    before = {item.key: delivered.storage.read_bytes(item.key) for item in delivered.storage.list(LAYOUT.days)}
    delivered.deliver(three=photo(3))
    delivered.storage.write_json(LAYOUT.model_card("v0001-00000001"), {**samples.FIRST_CARD, **card})
    with pytest.raises(OtherModel, match="another model than the monitor file describes"):
        delivered.ingest()
    assert {item.key: delivered.storage.read_bytes(item.key) for item in delivered.storage.list(LAYOUT.days)} == before


def test_an_earlier_models_day_is_taken_in_again_at_that_models_size(delivered):
    delivered.deliver(one=photo(1))
    for version, size in (("v0001-00000001", 64), ("v0002-00000002", delivered.monitor.model.input.height)):
        delivered.storage.write_json(
            LAYOUT.model_card(version), {**samples.CARD, "version": version, "input_size": size}
        )
    delivered.storage.write_json(LAYOUT.champion, {**samples.POINTER, "version": "v0002-00000002"})
    delivered.storage.write_json(
        LAYOUT.day(date.fromisoformat(DAY)).ingest, {**samples.INGEST, "model_version": "v0001-00000001"}
    )
    assert delivered.ingest()["input_size"] == 64


def test_late_images_are_told_with_the_counts_and_at_the_evaluation(delivered, capsys):
    keys = LAYOUT.day(date.fromisoformat(DAY))
    delivered.deliver(one=photo(1), two=photo(2))
    delivered.ingest()
    first, _ = delivered.storage.read_table(keys.manifest)["image_id"]
    sample = [{**samples.PLAN["sample"][0], "image_id": first}]
    delivered.storage.write_json(keys.annotation, {**samples.PLAN, "sample": sample})
    delivered.deliver(three=photo(3))
    evaluation = EvaluatePerformanceOperator(task_id="evaluate", monitor=delivered.monitor, day=DAY)
    assert evaluation._late_files() == 1
    assert f"1 files came after {DAY} was taken in" in capsys.readouterr().out
    assert delivered.ingest()["late"] == 1
    said = capsys.readouterr().out
    assert "1 of the 3 accepted images came after the day's sample was drawn" in said
    assert "create_annotation_pool draws a supplement from them" in said
    assert f"/driftwatch/m/cats_vs_dogs/days/{DAY}/#correction" in said
    delivered.storage.write_json(keys.annotation, {**samples.PLAN, "sample": [{**sample[0], "image_id": "0" * 64}]})
    delivered.ingest()
    said = capsys.readouterr().out
    assert f"gone from the day are 1 of its 1 sampled images, the first is {'0' * 64}" in said
    assert "Nobody is asked about them while images of the sample are gone" in said
    assert evaluation._late_files() == 0


@pytest.mark.parametrize("run_type", ["scheduled", "backfill", "asset_triggered"])
def test_a_run_of_the_schedule_waits_for_late_deliveries_and_one_by_hand_was_told_its_day(
    root: Path, tmp_path, monkeypatch, run_type
):
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    today = datetime.now(timezone.utc).date()
    operator = IngestImagesOperator(task_id="ingest", monitor=monitor, day=today.isoformat())
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({"dag_run": SimpleNamespace(run_type=run_type), "ti": TaskInstance()})
    end = datetime.combine(today, time.min, timezone.utc) + timedelta(days=1, hours=6)
    assert deferred.value.trigger.moment == end
    assert deferred.value.method_name == "take_turn"
    with pytest.raises(NeedsAttention, match="register a first model"):
        operator.execute({"dag_run": SimpleNamespace(run_type="manual")})
