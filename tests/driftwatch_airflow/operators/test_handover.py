"""Handing a training set over, and what a team's own DAG does with the model."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.alerts import TrainingSetHandedOver
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.retraining import ChallengerNote
from driftwatch.errors import ConfigError
from driftwatch_airflow.operators import handover
from driftwatch_airflow.operators.handover import (
    HandOverOperator,
    RegisterChallengerOperator,
    TakeUpChallengerOperator,
    TriggerHandoverOperator,
)

RUN = "perf_alert__2026-11-20"
MANIFEST = Handover.model_validate_json(json.dumps(samples.HANDOVER))


def test_the_hand_over_is_told_to_people_and_to_followers_of_its_asset(monitor, storage, monkeypatch):
    from airflow.sdk.execution_time.context import OutletEventAccessors

    import driftwatch.models.handover
    from driftwatch_airflow.assets import handover_asset

    told: list[Any] = []
    monkeypatch.setattr(handover, "send_alert", lambda context, monitor, alert: told.append(alert))
    monkeypatch.setattr(driftwatch.models.handover, "hand_over", lambda store, run_key, by: MANIFEST)
    asset, events = handover_asset(monitor.name), OutletEventAccessors()
    task = HandOverOperator(task_id="hand_over", monitor=monitor, request=RUN, outlets=[asset])
    told_by_xcom = task.execute({"run_id": RUN, "params": {}, "outlet_events": events})
    assert told == [TrainingSetHandedOver(RUN, MANIFEST, None)]
    assert told_by_xcom == events[asset].extra
    assert told_by_xcom == {
        "run_key": MANIFEST.run_key,
        "url": MANIFEST.place,
        "first_day": "2026-01-02",
        "last_day": samples.DAY,
        "images": 600,
    }
    assert json.loads(json.dumps(told_by_xcom)) == told_by_xcom


def test_the_team_s_dag_is_told_where_the_set_lies_and_is_run_once_for_each_hand_over(monitor):
    from airflow.sdk import DAG

    from driftwatch.artifacts.nested_keys import run_key

    settings = monitor.retraining.model_copy(update={"handover_dag": "ours"})
    with DAG("d", schedule=None, user_defined_macros={"run_key": run_key}):
        task = TriggerHandoverOperator(
            task_id="trigger_handover", monitor=monitor.model_copy(update={"retraining": settings})
        )
    place = {"url": "s3://bucket/handover"}
    context = {"run_id": "manual__2026-01-01T00:00", "ti": SimpleNamespace(xcom_pull=lambda task_ids: place)}
    task.render_template_fields(context)
    key = "manual__2026-01-01T00-00"
    assert task.trigger_run_id == f"cats_vs_dogs__{key}"
    assert task.conf == {"place": "s3://bucket/handover", "monitor": "cats_vs_dogs", "run_key": key}


def test_a_challenger_of_the_form_is_taken_up_with_who_asked(monitor, storage, monkeypatch):
    import driftwatch.models.returned

    seen: list[Any] = []

    def take_up(store: Any, run_key: str, version: str, by: str) -> ChallengerNote:
        seen.append((run_key, version, by))
        return ChallengerNote(version=version, parent="v0001-00000001", requested_by=by)

    monkeypatch.setattr(driftwatch.models.returned, "take_up_challenger", take_up)
    task = TakeUpChallengerOperator(task_id="take_up_challenger", monitor=monitor, request="manual__1")
    params = {"challenger": "v0002-00000002", "reason": "the new lens"}
    assert task.execute({"run_id": "manual__1", "params": params}) == "v0002-00000002"
    assert seen == [("manual__1", "v0002-00000002", "the new lens")]


def test_in_an_alerts_run_the_challenger_that_waits_is_taken_up_for_its_day(monitor, storage, monkeypatch):
    import driftwatch.models.waiting

    seen: list[Any] = []

    def take_up(store: Any, run_key: str, day: date, by: str) -> ChallengerNote:
        seen.append((run_key, day, by))
        return ChallengerNote(version="v0002-00000002", parent="v0001-00000001", requested_by=by)

    monkeypatch.setattr(driftwatch.models.waiting, "take_up_waiting", take_up)
    run_id = "perf_alert__2026-01-09"
    task = TakeUpChallengerOperator(task_id="take_up_challenger", monitor=monitor, request=run_id)
    params = {"challenger": None, "reason": "performance alert of 2026-01-09"}
    assert task.execute({"run_id": run_id, "params": params}) == "v0002-00000002"
    assert seen == [(run_id, date(2026, 1, 9), "performance alert of 2026-01-09")]


def test_a_team_s_dag_registers_its_model_by_the_monitor_s_name_and_by_what_it_was_triggered_with(
    monitor, storage, monkeypatch, capsys
):
    import driftwatch.models.own_model
    import driftwatch.models.returned
    from driftwatch.models.diagnosis import Diagnosis
    from driftwatch.models.metrics import share

    guesses = Diagnosis(share(50, 100, 0.95), 0.5, 0.5, 0.0001, ())
    monkeypatch.setattr(driftwatch.models.own_model, "examine_version", lambda *_: guesses)
    seen: list[Any] = []
    monkeypatch.setattr(
        driftwatch.models.returned,
        "register_challenger",
        lambda store, *given: seen.append((store.keys.monitor, *given)) or "v2",
    )
    task = RegisterChallengerOperator(
        task_id="register", monitor="cats_vs_dogs", file="{{ dag_run.conf['place'] }}/model.onnx"
    )
    conf = {"run_key": RUN, "place": "file:///data/handover"}
    context = {"dag_run": SimpleNamespace(conf=conf), "dag": SimpleNamespace(dag_id="ours"), "run_id": "r1"}
    task.render_template_fields(context)
    assert task.execute(context) == "v2"
    assert seen == [("cats_vs_dogs", "file:///data/handover/model.onnx", RUN, "ours, run r1")]
    assert "v2 is right on 50.0%" in capsys.readouterr().out


def test_a_monitor_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ConfigError, match=r"there is no monitor 'cats'.*; there are cats_vs_dogs"):
        RegisterChallengerOperator(task_id="register", monitor="cats", file="model.onnx")
