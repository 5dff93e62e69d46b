"""Showing the versions in MLflow is a step of its own: it fails alone, and a dry run shows nothing."""

from __future__ import annotations

import logging

import pytest
from airflow.sdk import DAG, TriggerRule
from tests.stores import SMALLEST

from driftwatch.artifacts.mlflow import MlflowRecord, MovedAlias
from driftwatch.config import MonitorConfig
from driftwatch.http import ServiceError
from driftwatch.models.mlflow import mirror
from driftwatch_airflow.failures import failed_tasks
from driftwatch_airflow.operators.mlflow import TellMlflowOperator

MONITOR = MonitorConfig.model_validate({**SMALLEST, "registry": {"mlflow": {"connection": "mlflow_default"}}})
RECORD = MlflowRecord(model="demo", shown={"v0001-00000001": "1"}, champion="v0001-00000001")


@pytest.fixture
def operator():
    return TellMlflowOperator(task_id="tell_mlflow", monitor=MONITOR)


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
