"""Requests for a retraining: of two alerts at once one starts a run, and the other is attached to it."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.nested_keys import run_key
from driftwatch.config import MonitorConfig
from driftwatch.config.segments import SegmentConfig
from driftwatch.models.logged.presets import preset_columns
from driftwatch.models.requests import alert_day, attached_alerts, begin, begin_unless_in_the_way, requested
from driftwatch.storage import open_storage

LAYOUT = MonitorKeys("demo")
FIRST, SECOND = date(2026, 1, 7), date(2026, 1, 8)


def test_two_alerts_at_once_make_one_run(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    begin(monitor_store(storage, LAYOUT), "old", "old")
    found: dict[date, str | None] = {}

    def alert(day: date) -> None:
        found[day] = begin_unless_in_the_way(monitor_store(storage, LAYOUT), day, 3, runs)

    other = threading.Thread(target=alert, args=(SECOND,))

    def runs(run_id: str, unfinished: bool) -> int:
        """The old run has ended. The other alert begins while the first one looks."""
        if not other.ident:
            other.start()
            other.join(0.2)
        return int(run_id == "old" and not unfinished)

    alert(FIRST)
    other.join(30)
    assert found[FIRST] is None
    assert "perf_alert__2026-01-07, which is under way" in found[SECOND]
    assert storage.read_json(LAYOUT.active_retraining)["day"] == "2026-01-07"
    assert attached_alerts(monitor_store(storage, LAYOUT), "perf_alert__2026-01-07") == [SECOND]


@pytest.mark.parametrize(
    "run_id", ["perf_alert__", "perf_alert__yesterday", "perf_alert__20260107", "manual__2026-01-07"]
)
def test_a_run_by_hand_is_none_of_an_alert_whatever_it_is_called(tmp_path, run_id):
    storage = open_storage(f"file://{tmp_path}")
    assert alert_day(run_id) is None
    begin(monitor_store(storage, LAYOUT), "r", run_id)
    assert begin_unless_in_the_way(monitor_store(storage, LAYOUT), FIRST, 3, lambda run_id, unfinished: 0) is None


def test_a_run_id_becomes_a_folder_name():
    assert run_key("manual__2026-11-20T06:00:00.1+00:00_x") == "manual__2026-11-20T06-00-00.1-00-00_x"
    assert run_key("perf_alert__2026-11-20") == "perf_alert__2026-11-20"


def test_the_form_chooses_the_segments_of_one_run(small_monitor, tmp_path) -> None:
    config = small_monitor(f"file://{tmp_path}").model_copy(
        update={"segments": {"camera": SegmentConfig(key="^([^/]+)/")}}
    )
    form = {"segments": {"only": {"camera": ["door-17"]}, "weights": {}}}
    assert requested(config, form).retraining.segments.only == {"camera": ("door-17",)}
    assert requested(config, {}).retraining.segments == config.retraining.segments
    with pytest.raises(ValueError, match=r"retraining\.segments \['region'\] must be segmentations"):
        requested(config, {"segments": {"only": {"region": ["north"]}}})


@pytest.mark.parametrize(
    "model",
    [
        {"predictions": "endpoint", "endpoint": {"connection": "triton", "protocol": "v2", "model": "cats"}},
        {"predictions": "endpoint", "endpoint": {"connection": "tf", "protocol": "tensorflow", "model": "cats"}},
        {"predictions": "logged", "logged": {"path": "capture/{day}/*.jsonl", "format": "sagemaker"}},
        {"predictions": "logged", "logged": {"path": "kserve/{day}/*.jsonl", "format": "kserve"}},
    ],
    ids=["v2", "tensorflow", "sagemaker", "kserve"],
)
def test_a_form_names_no_setting_that_the_file_leaves_out(small_monitor, tmp_path, model) -> None:
    """Each default was named: no monitor of a model server had a retraining, and a log's columns were no longer those of its format."""
    settings = small_monitor(f"file://{tmp_path}").model_dump(exclude_unset=True)
    config = MonitorConfig.model_validate({**settings, "model": {**settings.get("model", {}), **model}})
    found = requested(config, {"start_from": "scratch", "epochs": 3, "promotion": "never"})
    assert found.model.model_dump(exclude_unset=True) == {
        **config.model.model_dump(exclude_unset=True),
        "recipe": {**config.model.model_dump(exclude_unset=True).get("recipe", {}), "epochs": 3},
    }
    assert (found.retraining.start_from, found.retraining.promotion) == ("scratch", "never")
    if config.model.logged and found.model.logged:
        assert preset_columns(found.model.logged.columns) == preset_columns(config.model.logged.columns)
