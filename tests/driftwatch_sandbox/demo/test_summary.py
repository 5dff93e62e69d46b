"""The demo's table: one row for each day, from the artifacts that its run left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from rich.console import Console
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed
from tests.stores import SMALLEST

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.view.shares import share_text
from driftwatch_sandbox.demo.summary import EpisodeOfDay, SegmentOfDay, day_row, found, table


@pytest.fixture
def day(tmp_path) -> DayStore:
    storage = open_storage(f"file://{tmp_path}")
    day = MonitorStore(storage, MonitorConfig.model_validate(SMALLEST)).day(date.fromisoformat(samples.DAY))
    for key, whole in (
        (day.keys.ingest, samples.INGEST),
        (day.keys.drift, samples.DAY_DRIFT),
        (day.keys.performance, samples.PERFORMANCE),
    ):
        storage.write_json(key, whole)
    return day


def test_a_row_has_the_days_counts_and_verdicts(day):
    row = day_row(day, "perf_alert__1")
    accuracy = samples.PERFORMANCE["accuracy"]
    assert (row.day, row.accepted, row.drifted) == (samples.DAY, samples.INGEST["accepted"], True)
    assert (row.accuracy, row.interval) == (accuracy["value"], (accuracy["low"], accuracy["high"]))
    assert (row.verdict, row.retraining_run_id) == (samples.PERFORMANCE["verdict"], "perf_alert__1")
    assert row.state is None
    assert found(day)


def test_a_row_says_which_accepted_state_the_day_is_like(day):
    usual = {**samples.DAY_DRIFT, "verdict": "ok", "drifted_features": []}
    day.storage.write_json(day.keys.drift, usual)
    assert day_row(day, None).state == "training"  # also of a day of an early Driftwatch
    day.storage.write_json(day.keys.drift, {**usual, "state": "2026-01-08", "nearest": "2026-01-08", "states": []})
    row = day_row(day, None)
    console = Console(width=80, record=True)
    console.print(table([row], "Days"))
    assert (row.drifted, row.state) == (False, "2026-01-08")
    assert "as 2026-01-08" in console.export_text()


def test_a_segment_has_its_images_its_drift_and_its_accuracy_where_it_is_known(day):
    rows = [
        {"by": "camera", "name": "door-1", "images": 100, "status": "usual"},
        {"by": "camera", "name": "door-2", "images": 90, "status": "drifted"},
    ]
    known = {"value": 0.6, "low": 0.5, "high": 0.7, "n": 90}
    accuracy = {
        "by": "camera", "name": "door-2", "images": 90, "labels": 90, "days": 1, "accuracy": {**known, "effective_n": 90.0},
        "rest": known,
        "verdict": "alert",
    }  # fmt: skip
    day.storage.write_json(day.keys.drift, {**samples.DAY_DRIFT, "whole": "ok", "segments": rows})
    day.storage.write_json(day.keys.performance, {**samples.PERFORMANCE, "segments": [accuracy]})
    row = day_row(day, None)
    assert row.segments == {"door-1": SegmentOfDay(100, False), "door-2": SegmentOfDay(90, True, 0.6, (0.5, 0.7))}
    assert row.drifted_in == "in door-2"


def test_the_table_shows_each_day_also_one_without_a_label(day):
    row = day_row(day, None)
    console = Console(width=80, record=True)
    console.print(table([row, replace(row, accuracy=None, interval=None, verdict="not_enough_evidence")], "Days"))
    first, second = [line for line in console.export_text().splitlines() if "08 Jan" in line]
    assert share_text(typed(Performance, samples.PERFORMANCE).accuracy) in first
    assert " – " in second
    assert "not enough" in second


def test_a_row_says_in_which_change_the_day_is_the_models_first(day):
    assert day_row(day, None).episode is None
    day.storage.write_json(day.keys.episodes, samples.EPISODES)
    assert day_row(day, None).episode == EpisodeOfDay("images", "2026-01-05", 4)
    both = [samples.EPISODE, {**samples.EPISODE, "line": "performance", "since": "2026-01-07"}]
    day.storage.write_json(day.keys.episodes, {**samples.EPISODES, "episodes": both})
    assert day_row(day, None).episode == EpisodeOfDay("performance", "2026-01-07", 2)
    day.storage.write_json(day.keys.episodes, {**samples.EPISODES, "episodes": [{**samples.EPISODE, "ended": "usual"}]})
    assert day_row(day, None).episode is None
