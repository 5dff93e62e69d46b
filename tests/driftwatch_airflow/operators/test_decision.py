"""Which branch follows a verdict, and what holds a retraining back."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.models.requests import attached_alerts, begin
from driftwatch.storage import Storage, open_storage
from driftwatch_airflow.operators.decision import CheckPerformanceOperator

DAY = "2026-11-20"


class Recorded(CheckPerformanceOperator):
    """Notes the branch instead of asking Airflow to skip the others."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        return branches_to_execute


@pytest.fixture
def choose(tmp_path, root: Path, monkeypatch):
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    storage = open_storage(f"file://{tmp_path}")

    def decide(
        verdict: str,
        run_type: str = "scheduled",
        earlier: tuple[str, ...] = (),
        on_backfill: bool = False,
        without_data: tuple[str, ...] = (),
        **params: Any,
    ):
        for number in range(14, 21):
            if (day := f"2026-11-{number}") not in without_data:
                storage.write_json(f"cats_vs_dogs/days/{day}/ingest.json", {})
        storage.write_json(f"cats_vs_dogs/days/{DAY}/performance.json", samples.PERFORMANCE | {"verdict": verdict})
        for name in earlier:
            storage.write_bytes(f"cats_vs_dogs/retraining/{name}/set.parquet", b"set")
        settings = monitor.retraining.model_copy(update={"retrain_on_backfill": on_backfill, "cooldown_days": 3})
        operator = Recorded(
            task_id="check",
            monitor=monitor.model_copy(update={"retraining": settings}),
            day=DAY,
            on_alert="trigger_retraining",
            on_ok="performance_ok",
        )
        return operator.execute({"params": params, "dag_run": SimpleNamespace(run_type=run_type)})

    return decide


def test_an_alert_retrains_and_ok_goes_on(choose):
    assert choose("alert") == "trigger_retraining"
    assert choose("ok") == "performance_ok"


def test_not_enough_evidence_is_neither_ok_nor_an_alert(choose):
    assert choose("not_enough_evidence") is None


def test_a_backfilled_day_retrains_only_where_the_setting_says_so(choose):
    assert choose("alert", run_type="backfill") is None
    assert choose("alert", run_type="backfill", on_backfill=True) == "trigger_retraining"


def test_a_dry_run_retrains_nothing(choose):
    assert choose("alert", dry_run=True) is None


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        ("perf_alert__2026-11-19", None),
        ("perf_alert__2026-11-17", None),
        ("perf_alert__2026-11-16", "trigger_retraining"),
        ("perf_alert__2026-11-20", "trigger_retraining"),
        ("perf_alert__2026-11-21", "trigger_retraining"),
        ("manual__2026-11-19", "trigger_retraining"),
    ],
    ids=["the day before", "last day of the cooldown", "after it", "the day's own, again", "a later day", "by hand"],
)
def test_the_cooldown_counts_days_of_data(choose, earlier, expected):
    assert choose("alert", earlier=(earlier,)) == expected


@pytest.mark.parametrize(("earlier", "expected"), [("16", None), ("14", "trigger_retraining")])
def test_days_without_data_do_not_use_up_the_cooldown(choose, earlier, expected):
    gap = ("2026-11-17", "2026-11-18")
    assert choose("alert", earlier=(f"perf_alert__2026-11-{earlier}",), without_data=gap) == expected


@pytest.fixture
def alert(tmp_path, root: Path, monkeypatch):
    """An alert of a day, while the Airflow runs of `states` exist; and the storage."""
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    storage = open_storage(f"file://{tmp_path}")

    def decide(day: str, states: dict[str, str]):
        known = states

        def get_dr_count(dag_id, run_ids, states):
            assert dag_id == "cats_vs_dogs_retraining"
            return sum(run_id in known and (states is None or known[run_id] in states) for run_id in run_ids)

        storage.write_json(f"cats_vs_dogs/days/{day}/performance.json", samples.PERFORMANCE | {"verdict": "alert"})
        operator = Recorded(task_id="check", monitor=monitor, day=day, on_alert="trigger", on_ok="ok")
        ti = SimpleNamespace(get_dr_count=get_dr_count)
        return operator.execute({"params": {}, "dag_run": SimpleNamespace(run_type="scheduled"), "ti": ti})

    return decide, storage


def attached(storage: Storage, request: str) -> list[str]:
    return [str(day) for day in attached_alerts(monitor_store(storage, MonitorKeys("cats_vs_dogs")), request)]


def test_two_alerts_at_once_make_one_run_and_the_second_is_attached(alert):
    decide, storage = alert
    assert decide("2026-11-20", {}) == "trigger"
    assert decide("2026-11-21", {}) is None  # the first one's run does not exist yet
    assert decide("2026-11-20", {}) == "trigger"  # the same alert again; its run id is taken, so it makes no other run
    assert attached(storage, "perf_alert__2026-11-20") == ["2026-11-21"]


def test_an_alert_while_one_is_queued_or_running_is_attached_however_long_it_takes(alert):
    decide, storage = alert
    assert decide("2026-11-01", {}) == "trigger"
    for day, state in (("2026-11-19", "queued"), ("2026-11-20", "running")):
        assert decide(day, {"perf_alert__2026-11-01": state}) is None
    assert attached(storage, "perf_alert__2026-11-01") == ["2026-11-19", "2026-11-20"]


def test_after_a_failed_retraining_that_had_no_set_the_next_alert_starts_one(alert):
    decide, storage = alert
    assert decide("2026-11-20", {}) == "trigger"
    assert decide("2026-11-21", {"perf_alert__2026-11-20": "failed"}) == "trigger"
    assert attached(storage, "perf_alert__2026-11-20") == []


def test_an_alert_is_attached_to_a_retraining_by_hand_too(alert):
    decide, storage = alert
    begin(monitor_store(storage, MonitorKeys("cats_vs_dogs")), "by-hand", "by hand")
    assert decide("2026-11-20", {"by hand": "running"}) is None
    assert attached(storage, "by-hand") == ["2026-11-20"]
    assert decide("2026-11-20", {"by hand": "success"}) == "trigger"


def test_what_is_decided_is_one_line_of_the_log_with_its_reason_and_is_kept_for_the_pages(
    choose, tmp_path, monkeypatch
):
    lines: list[str] = []
    note = SimpleNamespace(log=lambda level, text, *values: lines.append(text % values), warning=lambda *_: None)
    monkeypatch.setattr(Recorded, "log", note)
    storage = open_storage(f"file://{tmp_path}")
    key = f"cats_vs_dogs/days/{DAY}/decision.json"
    for earlier, then, kept in (
        ((), f"the retraining perf_alert__{DAY} is started", {"run_id": f"perf_alert__{DAY}"}),
        (("perf_alert__2026-11-19",), "no retraining is started: the alert of 2026-11-19 started one", {"held"}),
    ):
        lines.clear()
        choose("alert", earlier=earlier)
        (line,) = lines
        assert line.startswith(f"Verdict of {DAY}: alert, {then}")
        assert f"Because: {' '.join(samples.PERFORMANCE['reasons'])}" in line
        found = storage.read_json(key)
        assert found["verdict"] == "alert"
        assert set(kept) <= set(found)
    choose("ok")
    assert storage.read_json(key)["verdict"] == "ok"


def test_a_dry_run_keeps_no_decision(choose, tmp_path):
    choose("alert", dry_run=True)
    assert not open_storage(f"file://{tmp_path}").exists(f"cats_vs_dogs/days/{DAY}/decision.json")
