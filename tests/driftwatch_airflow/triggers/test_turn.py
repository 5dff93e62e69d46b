"""Days that run at the same time are judged one after another."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import TaskDeferred
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig
from driftwatch_airflow.operators.ingest import IngestImagesOperator
from driftwatch_airflow.triggers import turn

DATE = datetime(2026, 1, 20, tzinfo=timezone.utc)


class Runs:
    """The runs of a DAG as Airflow tells of them: their states, and those of the steps that judge images."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, str | None]] = {}
        self.run_state: dict[str, str] = {}
        self.asked: list[datetime] = []

    def put(self, day: str, state: str, **steps: str | None) -> None:
        self.run_state[f"scheduled__{day}"], self.states[f"scheduled__{day}"] = state, steps

    def get_task_states(self, dag_id, task_ids, logical_dates):
        self.asked = logical_dates
        return self.states

    def get_dagrun_state(self, dag_id, run_id):
        return self.run_state[run_id]


@pytest.fixture
def runs(monkeypatch) -> Runs:
    found = Runs()
    monkeypatch.setattr(turn, "RuntimeTaskInstance", found)
    return found


def test_only_the_days_before_are_asked_about(runs):
    assert turn.earlier_day_at_work("m_monitoring", DATE) is None
    assert runs.asked == [DATE - timedelta(days=number) for number in range(1, 15)]


@pytest.mark.parametrize("state", [None, "queued", "running", "deferred", "up_for_retry"])
def test_a_day_waits_for_the_one_before_it_whose_images_are_not_judged(runs, state):
    runs.put("2026-01-18", "running", profile_features="success", predict_labels="success")
    runs.put("2026-01-19", "running", profile_features="success", predict_labels=state)
    assert turn.earlier_day_at_work("m_monitoring", DATE) == "scheduled__2026-01-19"


def test_a_day_that_waits_for_people_or_failed_or_has_not_begun_is_not_waited_for(runs):
    runs.put("2026-01-16", "failed", profile_features=None, predict_labels=None)
    runs.put("2026-01-17", "queued", profile_features=None, predict_labels=None)
    runs.put("2026-01-18", "running", profile_features="success", predict_labels="success")
    runs.put("2026-01-19", "running", profile_features="upstream_failed", predict_labels="upstream_failed")
    assert turn.earlier_day_at_work("m_monitoring", DATE) is None


def test_the_images_are_not_touched_before_the_days_turn(runs):
    runs.put("2026-01-19", "running", profile_features=None, predict_labels=None)
    operator = IngestImagesOperator(task_id="ingest", monitor=MonitorConfig.model_validate(SMALLEST), day="2026-01-20")
    asked = SimpleNamespace(run_type="scheduled", logical_date=DATE)
    with pytest.raises(TaskDeferred) as deferred:
        operator.take_turn({"dag_run": asked, "ti": SimpleNamespace(xcom_push=lambda key, value: None)})
    assert deferred.value.method_name == "take_in"
    assert deferred.value.trigger.serialize()[1] == {
        "dag_id": f"{SMALLEST['name']}_monitoring", "date": DATE.isoformat(), "poll_seconds": 20.0,
    }  # fmt: skip


def test_the_trigger_goes_on_when_airflow_is_away_and_fires_when_it_is_the_days_turn(runs, monkeypatch):
    answers = iter([ConnectionError("no server"), "scheduled__2026-01-19", None])

    def ask(dag_id, date):
        assert (dag_id, date) == ("m_monitoring", DATE)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(turn, "earlier_day_at_work", ask)
    _, stored = turn.TurnTrigger("m_monitoring", DATE.isoformat()).serialize()
    event = asyncio.run(anext(turn.TurnTrigger(**{**stored, "poll_seconds": 0.01}).run()))
    assert event.payload == {}
    assert next(answers, "none left") == "none left"
