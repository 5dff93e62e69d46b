"""The trigger that waits for WhyLabs to analyse a day."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from driftwatch_airflow.triggers.analysis import AnalysisTrigger

from ..deferring import NOW, deferred, event_of

DAY = date(2026, 1, 20)

STORED_BY_0_1 = {
    "whylabs_conn_id": "whylabs_default",
    "dataset": "model-1",
    "day": "2026-01-20",
    "analyzers": ["floor", "trend"],
    "accuracy": 0.9,
    "deadline": "2026-01-22T06:00:00.123456+00:00",
    "poll_seconds": 300.0,
}


def test_a_task_that_an_earlier_version_deferred_is_resumed_and_what_is_stored_has_the_same_form():
    path = "driftwatch_airflow.triggers.analysis.AnalysisTrigger"
    trigger = AnalysisTrigger(**STORED_BY_0_1)
    assert (trigger.wait.day, trigger.wait.analyzers) == (DAY, ("floor", "trend"))
    assert AnalysisTrigger(trigger.wait).serialize() == (path, STORED_BY_0_1)


@pytest.mark.parametrize("fault", ["error_before", "drop_before", "html_502", "rate_limit"])
def test_a_passing_failure_while_waiting_is_asked_again(analysed, fault):
    analysed.day("ok", 90, analysed=False)
    analysed.server.fault("POST", "analysis-results", fault, times=1)
    waiting = deferred(analysed)
    analysed.server.http.post(f"/_sandbox/analyse?dataset=model-1&day={DAY}").raise_for_status()
    analysed.server.fault("POST", "analysis-results", fault, times=2)
    assert event_of(waiting)["state"] == "analysed"


def test_the_deadline_counts_from_the_tasks_start(analysed):
    analysed.day("ok", 90, analysed=False)
    waiting = deferred(analysed, analysis_hours=5)
    assert waiting.trigger.wait.deadline == NOW + timedelta(hours=5)


def test_what_is_kept_of_a_failure_has_no_login(monkeypatch):
    def away(*_: object) -> None:
        raise OSError("no answer of postgresql://reader:hunter2@db/vault")

    monkeypatch.setattr("driftwatch_airflow.triggers.analysis.WhyLabsHook.get_conn", away)
    event = asyncio.run(anext(AnalysisTrigger(**STORED_BY_0_1).run())).payload
    assert event == {"state": "late", "reasons": ["OSError: no answer of postgresql://reader:***@db/vault"]}
