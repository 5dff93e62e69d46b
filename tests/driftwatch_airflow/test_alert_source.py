"""Whose alert decides: the verdict of the day, WhyLabs' monitors, or either; against the stand-in over real HTTP."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from driftwatch.config.monitor_files import load_monitor
from driftwatch.drift.whylogs_profiles import performance_profile
from driftwatch.errors import AccessRefused, NeedsAttention
from driftwatch.publish.monitors import documents, put_documents
from driftwatch.storage import Storage
from driftwatch_airflow.operators import decision
from driftwatch_airflow.operators.decision import CheckPerformanceOperator

DAY = date(2026, 1, 20)
RETRAIN, OK = "trigger_retraining", "performance_ok"
NOW = datetime.now(timezone.utc)


class Recorded(CheckPerformanceOperator):
    """Notes the branch instead of asking Airflow to skip the others."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        return branches_to_execute


@pytest.fixture(scope="module")
def server(whylabs_servers):
    return whylabs_servers()


@pytest.fixture
def site(tmp_path, root: Path, monkeypatch, server):
    """A day whose performance is in storage and at WhyLabs."""
    server.clear()
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monkeypatch.setenv("AIRFLOW_CONN_WHYLABS_DEFAULT", json.dumps(server.connection()))
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(decision, "send_alert", lambda context, monitor, kind, facts: told.append({kind: facts}))
    storage = Storage(f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    put_documents(server.api(), documents(monitor, "ref-1"))
    keys = f"cats_vs_dogs/days/{DAY}"

    def day(verdict: str, right: int | None, of: int = 100, analysed: bool = True) -> None:
        """`right` None: there is no label."""
        server.api().delete_day(DAY)
        performance = {"verdict": verdict, "labels": of if right is not None else 0, "reasons": ["as measured."]}
        if right is not None:
            profile = performance_profile(["cat"] * of, ["cat"] * right + ["dog"] * (of - right), [1.0] * of, DAY)
            server.api().upload_profile(profile, DAY)
            storage.write_bytes(f"{keys}/performance.bin", profile)
            performance["content_hash"] = "hash"
        storage.write_json(f"{keys}/performance.json", performance)
        if analysed:
            server.http.post(f"/_sandbox/analyse?dataset=model-1&day={DAY}").raise_for_status()

    def operator(source: str, **publish: Any) -> Recorded:
        settings = monitor.publish.model_copy(update={"alert_source": source, "analysis_poll_seconds": 0.05, **publish})
        changed = monitor.model_copy(update={"publish": settings})
        return Recorded(task_id="check", monitor=changed, day=str(DAY), on_alert=RETRAIN, on_ok=OK)

    def analysis() -> dict[str, Any] | None:
        return storage.read_json(f"{keys}/whylabs.json") if storage.exists(f"{keys}/whylabs.json") else None

    return SimpleNamespace(day=day, operator=operator, analysis=analysis, told=told, server=server)


def context(run_type: str = "scheduled", **params: Any) -> dict[str, Any]:
    ti = SimpleNamespace(start_date=NOW)
    return {"params": params, "dag_run": SimpleNamespace(run_type=run_type), "ti": ti}


def event_of(deferred: TaskDeferred, **changes: Any) -> dict[str, Any]:
    """What the trigger fires, made anew from its serialized form as the triggerer does."""
    _, fields = deferred.trigger.serialize()
    return asyncio.run(anext(type(deferred.trigger)(**{**fields, **changes}).run())).payload


def deferred(site: Any, source: str = "whylabs", **publish: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as raised:
        site.operator(source, **publish).execute(context())
    assert raised.value.method_name == "resume"
    return raised.value


@pytest.mark.parametrize(
    ("verdict", "right", "chosen"),
    [
        ("ok", 90, {"local": OK, "whylabs": OK, "either": OK}),
        ("ok", 60, {"local": OK, "whylabs": RETRAIN, "either": RETRAIN}),
        ("alert", 90, {"local": RETRAIN, "whylabs": None, "either": RETRAIN}),
        ("alert", 60, {"local": RETRAIN, "whylabs": RETRAIN, "either": RETRAIN}),
        ("not_enough_evidence", 90, {"local": None, "whylabs": None, "either": None}),
        ("not_enough_evidence", 60, {"local": None, "whylabs": RETRAIN, "either": RETRAIN}),
    ],
)
def test_each_source_decides_by_its_own_word_and_ok_needs_everybodys(site, verdict, right, chosen):
    site.day(verdict, right)
    assert {source: site.operator(source).execute(context()) for source in chosen} == chosen


def test_what_whylabs_said_is_kept_and_an_alert_of_its_own_is_told(site):
    site.day("ok", 60)
    site.operator("whylabs").execute(context())
    assert site.analysis()["verdict"] == "alert"
    assert site.analysis()["rows"][0]["metricValue"] == pytest.approx(0.6)
    (told,) = site.told
    assert told["performance"]["reasons"] == [
        "WhyLabs' cats_vs_dogs-accuracy-floor-analyzer: accuracy 0.600 is below 0.700."
    ]


def test_local_asks_nobody(site):
    site.day("ok", 60)
    before = site.server.requests("POST", "analysis-results")
    site.operator("local").execute(context())
    site.day("alert", 90)
    site.operator("either").execute(context())
    assert site.server.requests("POST", "analysis-results") == before
    assert site.analysis() is None


@pytest.mark.parametrize(("right", "of"), [(None, 0), (5, 10)], ids=["no labels", "fewer than min_labels"])
def test_too_few_labels_are_never_ok_nor_an_alert_whatever_whylabs_thinks(site, right, of):
    site.day("not_enough_evidence", right, of)
    assert site.operator("whylabs").execute(context()) is None
    assert site.analysis()["verdict"] == "not_enough_evidence"


@pytest.mark.parametrize("held", [{"run_type": "backfill"}, {"dry_run": True}])
def test_a_run_that_may_not_retrain_does_not_wait_for_whylabs_and_is_not_called_ok(site, held):
    site.day("ok", 90, analysed=False)
    assert site.operator("whylabs").execute(context(**held)) is None


def test_a_day_that_is_not_analysed_yet_is_waited_for_and_then_decided(site):
    site.day("ok", 60, analysed=False)
    waiting = deferred(site)
    site.server.http.post(f"/_sandbox/analyse?dataset=model-1&day={DAY}").raise_for_status()
    event = event_of(waiting)
    json.dumps(event)

    assert event["state"] == "analysed"
    assert site.operator("whylabs").resume(context(), event) == RETRAIN


def test_the_deadline_fails_the_task_or_leaves_the_day_undecided_and_is_never_ok(site):
    site.day("ok", 90, analysed=False)
    late = event_of(deferred(site), deadline=(NOW - timedelta(seconds=1)).isoformat())
    assert late["state"] == "late"
    with pytest.raises(NeedsAttention, match=r"not analysed the accuracy of 2026-01-20 within 36 h.*no all-clear"):
        site.operator("whylabs").resume(context(), late)
    undecided = site.operator("either", on_no_analysis="not_enough_evidence")
    assert undecided.resume(context(), late) is None
    assert site.analysis()["verdict"] == "not_enough_evidence"


def test_the_deadline_counts_from_the_tasks_start(site):
    site.day("ok", 90, analysed=False)
    waiting = deferred(site, analysis_hours=5)
    assert waiting.trigger.deadline == (NOW + timedelta(hours=5)).isoformat()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_stops_at_once_naming_the_connection(site, status):
    site.day("ok", 90, analysed=False)
    waiting = deferred(site)
    site.server.fault("POST", "analysis-results", "error_before", times=2, status=status, code="Forbidden")
    with pytest.raises(AccessRefused, match="the Airflow connection whylabs_default"):
        site.operator("whylabs").execute(context())
    event = event_of(waiting)
    assert event["state"] == "refused"
    with pytest.raises(AccessRefused, match="the Airflow connection whylabs_default"):
        site.operator("whylabs").resume(context(), event)


@pytest.mark.parametrize("fault", ["error_before", "drop_before", "html_502", "rate_limit"])
def test_a_passing_failure_while_waiting_is_asked_again(site, fault):
    site.day("ok", 90, analysed=False)
    site.server.fault("POST", "analysis-results", fault, times=1)
    waiting = deferred(site)
    site.server.http.post(f"/_sandbox/analyse?dataset=model-1&day={DAY}").raise_for_status()
    site.server.fault("POST", "analysis-results", fault, times=2)
    assert event_of(waiting)["state"] == "analysed"
