"""Showing the versions in MLflow is a step of its own: it fails alone, and a dry run shows nothing."""

from __future__ import annotations

import logging

import pytest
from airflow.sdk import DAG, BaseNotifier, TriggerRule
from tests.stores import SMALLEST

from driftwatch.artifacts.mlflow import MlflowRecord, MovedAlias
from driftwatch.config import MonitorConfig
from driftwatch.http import ServiceError
from driftwatch.models.mlflow import mirror
from driftwatch_airflow.alerts import NotTold
from driftwatch_airflow.failures import failed_tasks
from driftwatch_airflow.operators.mlflow import TellMlflowOperator
from driftwatch_airflow.operators.telling import TellModelsOperator

SETTINGS = {**SMALLEST, "registry": {"mlflow": {"connection": "mlflow_default"}}}
MONITOR = MonitorConfig.model_validate(SETTINGS)
RECORD = MlflowRecord(model="demo", shown={"v0001-00000001": "1"}, champion="v0001-00000001")


SENT: list[str] = []


class Mailbox(BaseNotifier):
    """Keeps what it is sent."""

    def notify(self, context):
        SENT.append(context["alert"].subject)


@pytest.fixture
def monitor(tmp_path):
    SENT.clear()
    notifiers = [{"notifier": f"{__name__}.Mailbox", "on": ["mlflow_alias_moved"]}]
    storage = {"uri": f"file://{tmp_path}"}
    return MonitorConfig.model_validate({**SETTINGS, "storage": storage, "notifiers": notifiers})


@pytest.fixture
def operator(monitor):
    return TellMlflowOperator(task_id="tell_mlflow", monitor=monitor)


def test_it_says_how_far_mlflow_is(operator, monkeypatch):
    monkeypatch.setattr(mirror, "show_versions", lambda store: RECORD)
    (said,) = operator.execute({"params": {}})
    assert "shows 1 version; its alias champion stands at version 1" in said


def test_an_alias_that_somebody_moved_is_a_warning_in_its_log(operator, monkeypatch, caplog):
    moved = MovedAlias(stands_at="9", version=None, found_at="v0001-00000001")
    monkeypatch.setattr(mirror, "show_versions", lambda store: RECORD.model_copy(update={"moved": moved}))
    told = []
    monkeypatch.setattr(operator.log, "log", lambda level, text: told.append((level, text)))
    operator.execute({"params": {}})
    ((level, text),) = told
    assert level == logging.WARNING
    assert "models:/demo/9" in text


def test_each_move_of_the_alias_is_told_once_on_whichever_day_and_the_same_move_again_is_a_new_one(
    operator, monitor, monkeypatch
):
    tell = TellModelsOperator(task_id="tell_models", monitor=monitor)

    def a_day(stands_at):
        moved = MovedAlias(stands_at=stands_at, version=None, found_at="v0001-00000001") if stands_at != "1" else None
        monkeypatch.setattr(mirror, "show_versions", lambda store: RECORD.model_copy(update={"moved": moved}))
        operator.execute({"params": {}})
        tell.execute({"params": {}})
        found = [subject.removeprefix("[demo] MLflow's alias champion of demo was moved from ") for subject in SENT]
        SENT.clear()
        return found

    there, elsewhere = "version 1 to 9", "version 1 to 8"
    days = {"9": [there], "9 still": [], "8": [elsewhere], "9 anew": [there], "1": [], "9 once more": [there]}
    assert {day: a_day(day.split()[0]) for day in days} == days


def test_a_move_that_nobody_could_be_told_is_told_later_and_one_that_was_put_back_meanwhile_is_not(
    operator, monitor, monkeypatch
):
    tell = TellModelsOperator(task_id="tell_models", monitor=monitor)
    moved = MovedAlias(stands_at="9", version=None, found_at="v0001-00000001")
    monkeypatch.setattr(mirror, "show_versions", lambda store: RECORD.model_copy(update={"moved": moved}))
    operator.execute({"params": {}})
    with monkeypatch.context() as broken:
        broken.setattr(Mailbox, "notify", lambda self, context: 1 / 0)
        with pytest.raises(NotTold, match="ZeroDivisionError"):
            tell.execute({"params": {}})
    operator.execute({"params": {}})
    assert tell.execute({"params": {}}) == [f"mlflow_alias_moved by {__name__}.Mailbox"]
    moved = moved.model_copy(update={"stands_at": "8"})
    operator.execute({"params": {}})
    moved = None
    operator.execute({"params": {}})
    assert tell.execute({"params": {}}) == []


def test_that_mlflow_is_down_fails_the_step_so_that_it_is_tried_again(operator, monkeypatch):
    def down(store):
        raise ServiceError("MLflow is down")

    monkeypatch.setattr(mirror, "show_versions", down)
    with pytest.raises(ServiceError, match="MLflow is down"):
        operator.execute({"params": {}})


def test_a_dry_run_asks_nobody(operator, monkeypatch):
    monkeypatch.setattr(mirror, "show_versions", lambda store: pytest.fail("asked"))
    assert operator.execute({"params": {"dry_run": True}}) == []


def test_its_failure_is_no_failure_of_the_retraining():
    with DAG("demo_retraining", schedule=None) as dag:
        TellMlflowOperator(task_id="tell_mlflow", monitor=MONITOR, trigger_rule=TriggerRule.ALL_DONE)
        TellMlflowOperator(task_id="promote_model", monitor=MONITOR)

    class TaskInstance:
        def get_task_states(self, dag_id, run_ids):
            return {"r": {"tell_mlflow": "failed", "promote_model": "failed"}}

    assert failed_tasks({"run_id": "r", "dag": dag, "ti": TaskInstance()}) == ["promote_model"]
