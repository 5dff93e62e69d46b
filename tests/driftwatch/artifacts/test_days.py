"""What lies in a monitor's folders beside what Driftwatch puts there is passed over."""

from __future__ import annotations

import re
from datetime import date

import pytest
from tests.stores import monitor_store

from driftwatch.accuracy.history import performances
from driftwatch.artifacts.days import (
    day_of,
    days_in,
    days_of_data_since,
    model_versions,
    stored_days,
    stored_retrainings,
    version_number,
)
from driftwatch.artifacts.keys import SET, MonitorKeys
from driftwatch.errors import NeedsAttention
from driftwatch.labels.known_images import _agreed
from driftwatch.labels.money import spent_in_month
from driftwatch.models.dataset import days_between
from driftwatch.models.requests import attached_alerts, begin_unless_in_the_way
from driftwatch.storage import Storage, open_storage

from . import samples

LAYOUT = MonitorKeys("demo")
FIRST, DAY = date(2026, 1, 5), date(2026, 1, 7)
STRAY = ("2026-01-05 copy", "2026-01-5", "20260106", "2026-W02-2", "2026-02-30", "backup", ".cache", "2026-01")


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}")
    for name in (*STRAY, "0001-01-01", "9999-12-31", FIRST.isoformat()):
        for file in ("labels.parquet", "annotation.json", "ingest.json", "drift.json"):
            storage.write_json(f"{LAYOUT.days}/{name}/{file}", samples.PLAN)
        storage.write_json(f"{LAYOUT.days}/{name}/performance.json", samples.PERFORMANCE)
    storage.write_bytes(f"{LAYOUT.days}/2026-01-06", b"a file, no folder")
    storage.delete(LAYOUT.day(FIRST).labels)
    return storage


@pytest.mark.parametrize("name", [*STRAY, "", "2026-01-05/"])
def test_only_a_date_in_one_form_is_a_days_folder(name):
    assert day_of(name) is None
    assert day_of("2026-01-05") == FIRST


def test_a_stray_folder_in_days_stops_nothing_and_counts_nowhere(storage):
    assert stored_days(storage, LAYOUT) == [FIRST]
    assert spent_in_month(monitor_store(storage, LAYOUT).day(DAY)) == samples.PLAN["progress"]["spent"]
    assert _agreed(monitor_store(storage, LAYOUT).day(DAY)) == []
    assert len(performances(monitor_store(storage, LAYOUT), date(2026, 1, 1), DAY)) == 1
    assert days_of_data_since(storage, LAYOUT, date(2026, 1, 1), DAY) == 2
    assert days_between(monitor_store(storage, LAYOUT), date(2026, 1, 1), DAY) == ["2026-01-05"]


@pytest.mark.parametrize("name", [f"perf_alert__{name}" for name in STRAY] + ["perf_alert__", "old"])
def test_a_stray_folder_in_retraining_holds_no_alert_back(tmp_path, name):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_bytes(LAYOUT.retraining(name, SET), b"a set")
    storage.write_bytes(LAYOUT.retraining("perf_alert__2026-01-07", "alerts/.DS_Store"), b"")
    assert begin_unless_in_the_way(monitor_store(storage, LAYOUT), DAY, 7, lambda run_id, unfinished: 0) is None
    assert begin_unless_in_the_way(monitor_store(storage, LAYOUT), date(2026, 1, 8), 7, lambda run_id, unfinished: 1)
    assert attached_alerts(monitor_store(storage, LAYOUT), "perf_alert__2026-01-07") == [date(2026, 1, 8)]


def test_a_stray_folder_in_models_is_no_version_and_one_without_a_card_none_yet(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    names = ("v0002-0a1b2c3d", "v0010-4e5f6071", "v10000-4e5f6071")
    for name in (*reversed(names), "v0003-0a1b2c3d copy", "v3-0a1b2c3d", "V0003-0a1b2c3d", "v0003-0a1b2c3", "old"):
        storage.write_json(LAYOUT.model_card(name), {})
    storage.write_bytes(LAYOUT.model("v0003-0a1b2c3d"), b"a model without its card")
    assert model_versions(storage, LAYOUT) == list(names)
    assert [version_number(name) for name in (*names, "old")] == [2, 10, 10000, 0]


def test_a_folder_in_retraining_that_no_run_has_named_is_none(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    for name in ("perf_alert__2026-01-05", "manual", "manual copy", "manual (1)"):
        storage.write_bytes(LAYOUT.retraining(name, SET), b"a set")
    storage.write_json(LAYOUT.active_retraining, {})
    assert sorted(stored_retrainings(storage, LAYOUT)) == ["manual", "perf_alert__2026-01-05"]


def test_days_are_named_one_by_one_by_ranges_or_both():
    assert days_in("2026-01-08") == [date(2026, 1, 8)]
    assert days_in("2026-01-12, 2026-01-08..2026-01-09,2026-01-09") == [date(2026, 1, day) for day in (8, 9, 12)]
    assert days_in(" ") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8 January", "'8 January' is no day: write days as YYYY-MM-DD, or a range as 2026-01-08..2026-01-10"),
        ("2026-01-08..2026-01-09..2026-01-10", "is no day"),
        ("2026-01-08..", "is no day"),
        ("2026-01-09..2026-01-08", "a range goes forward, over at most 400 days"),
        ("2020-01-09..2026-01-08", "a range goes forward, over at most 400 days"),
    ],
)
def test_what_is_no_day_is_refused_with_what_is_allowed(text, said):
    with pytest.raises(NeedsAttention, match=re.escape(said)):
        days_in(text)
