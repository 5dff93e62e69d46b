"""Whose alert decides: the verdict of the day, WhyLabs' monitors, or either; against the stand-in over real HTTP."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from driftwatch.artifacts.alerts import WhyLabsFoundWorse
from driftwatch.errors import AccessRefused, NeedsAttention

from ..deferring import NOW, context, deferred, event_of

DAY = date(2026, 1, 20)


RETRAIN, OK = "trigger_retraining", "performance_ok"


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
def test_each_source_decides_by_its_own_word_and_ok_needs_everybodys(analysed, verdict, right, chosen):
    analysed.day(verdict, right)
    assert {source: analysed.operator(source).execute(context()) for source in chosen} == chosen


def test_what_whylabs_said_is_kept_and_an_alert_of_its_own_is_told(analysed):
    analysed.day("ok", 60)
    analysed.operator("whylabs").execute(context())
    assert analysed.analysis()["verdict"] == "alert"
    assert analysed.analysis()["rows"][0]["metricValue"] == pytest.approx(0.6)
    (told,) = analysed.told
    assert isinstance(told, WhyLabsFoundWorse)
    assert told.reasons == ("WhyLabs' cats_vs_dogs-accuracy-floor-analyzer: accuracy 0.600 is below 0.700.",)


def test_local_asks_nobody(analysed):
    analysed.day("ok", 60)
    before = analysed.server.requests("POST", "analysis-results")
    analysed.operator("local").execute(context())
    analysed.day("alert", 90)
    analysed.operator("either").execute(context())
    assert analysed.server.requests("POST", "analysis-results") == before
    assert analysed.analysis() is None


@pytest.mark.parametrize(("right", "of"), [(None, 0), (5, 10)], ids=["no labels", "fewer than min_labels"])
def test_too_few_labels_are_never_ok_nor_an_alert_whatever_whylabs_thinks(analysed, right, of):
    analysed.day("not_enough_evidence", right, of)
    assert analysed.operator("whylabs").execute(context()) is None
    assert analysed.analysis()["verdict"] == "not_enough_evidence"


@pytest.mark.parametrize("held", [{"run_type": "backfill"}, {"dry_run": True}])
def test_a_run_that_may_not_retrain_does_not_wait_for_whylabs_and_is_not_called_ok(analysed, held):
    analysed.day("ok", 90, analysed=False)
    assert analysed.operator("whylabs").execute(context(**held)) is None


def test_a_day_that_is_not_analysed_yet_is_waited_for_and_then_decided(analysed):
    analysed.day("ok", 60, analysed=False)
    waiting = deferred(analysed)
    analysed.server.http.post(f"/_sandbox/analyse?dataset=model-1&day={DAY}").raise_for_status()
    event = event_of(waiting)
    json.dumps(event)

    assert event["state"] == "analysed"
    assert analysed.operator("whylabs").resume(context(), event) == RETRAIN


def test_the_deadline_fails_the_task_or_leaves_the_day_undecided_and_is_never_ok(analysed):
    analysed.day("ok", 90, analysed=False)
    late = event_of(deferred(analysed), deadline=(NOW - timedelta(seconds=1)).isoformat())
    assert late["state"] == "late"
    with pytest.raises(NeedsAttention, match=r"not analysed the accuracy of 2026-01-20 within 36 h.*no all-clear"):
        analysed.operator("whylabs").resume(context(), late)
    undecided = analysed.operator("either", on_no_analysis="not_enough_evidence")
    assert undecided.resume(context(), late) is None
    assert analysed.analysis()["verdict"] == "not_enough_evidence"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_stops_at_once_naming_the_connection(analysed, status):
    analysed.day("ok", 90, analysed=False)
    waiting = deferred(analysed)
    analysed.server.fault("POST", "analysis-results", "error_before", times=2, status=status, code="Forbidden")
    with pytest.raises(AccessRefused, match="the Airflow connection whylabs_default"):
        analysed.operator("whylabs").execute(context())
    event = event_of(waiting)
    assert event["state"] == "refused"
    with pytest.raises(AccessRefused, match="the Airflow connection whylabs_default"):
        analysed.operator("whylabs").resume(context(), event)
