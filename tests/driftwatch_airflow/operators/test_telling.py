"""The steps that tell people: what they find of a task that was killed without a word, and when a day is no failed day any more."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from driftwatch.artifacts import base
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import AlertKind
from driftwatch.errors import NeedsAttention
from driftwatch_airflow import failures
from driftwatch_airflow.alerts import outbox_of
from driftwatch_airflow.failures import NO_REASON, day_failed
from driftwatch_airflow.operators.telling import EndDayOperator, TellFailureOperator, TellRetrainingOperator
from driftwatch_airflow.watch import kinds_of_findings

DAY, RUN = "2026-11-20", "scheduled__2026-11-20"


NAME = "airflow.sdk.BaseNotifier"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(failures, "SECONDS_FOR_REASON", 0)


@pytest.fixture
def keys(monitor):
    return MonitorKeys(monitor.name).day(datetime.fromisoformat(DAY).date())


def context_of(states: dict[str, str], task: str = "", error: Any = None, **params: Any) -> dict[str, Any]:
    """A run whose tasks have these states, in the order of its graph."""
    logical = datetime.fromisoformat(DAY).replace(tzinfo=timezone.utc)
    order = [SimpleNamespace(task_id=name.removesuffix("_7")) for name in states]
    return {
        "ti": SimpleNamespace(task_id=task, get_task_states=lambda dag_id, run_ids: {RUN: states}),
        "dag": SimpleNamespace(dag_id="d", topological_sort=lambda: order),
        "dag_run": SimpleNamespace(
            dag_id="d", run_id=RUN, logical_date=logical, run_after=logical, run_type="scheduled"
        ),
        "run_id": RUN,
        "params": params,
        "exception": error,
    }


STATES = {"ingest_images": "success", "ingest_shards_7": "failed", "merge_shards": "upstream_failed"}


def test_a_task_that_was_killed_is_told_by_its_name_and_that_it_left_no_word(monitor, storage, keys):
    TellFailureOperator(task_id="tell_failure", monitor=monitor, day=DAY).execute(context_of(STATES))
    assert base.find(storage, keys.failure, Failure) == Failure(task="ingest_shards", reason=NO_REASON, run_id=RUN)
    (alert,) = outbox_of(monitor, day=DAY).alerts()
    assert alert.subject == "[cats_vs_dogs 2026-11-20] The day failed at ingest_shards"


def test_the_reason_that_the_failed_task_wrote_is_told_and_one_of_an_earlier_run_is_not(monitor, storage, keys):
    tell = TellFailureOperator(task_id="tell_failure", monitor=monitor, day=DAY)
    base.write(storage, keys.failure, Failure(task="ingest_shards", reason="an old one", run_id="another"))
    tell.execute(context_of(STATES))
    assert base.find(storage, keys.failure, Failure).reason == NO_REASON
    day_failed(monitor)(context_of(STATES, "ingest_shards", NeedsAttention("the disk\nis full")))
    tell.execute(context_of(STATES))
    assert base.find(storage, keys.failure, Failure).reason == "the disk is full"
    (alert,) = outbox_of(monitor, day=DAY).alerts()
    assert "  reason: the disk is full\n" in alert.message


def test_a_note_of_a_failed_day_that_is_damaged_stops_nobody_from_telling(monitor, storage, keys):
    storage.write_bytes(keys.failure, b"{half")
    TellFailureOperator(task_id="tell_failure", monitor=monitor, day=DAY).execute(context_of(STATES))
    assert base.find(storage, keys.failure, Failure).reason == NO_REASON
    assert len(outbox_of(monitor, day=DAY).alerts()) == 1


def test_a_dry_run_that_fails_is_no_failed_day(monitor, storage, keys):
    context = context_of(STATES, "ingest_shards", NeedsAttention("too dear"), dry_run=True)
    day_failed(monitor)(context)
    TellFailureOperator(task_id="tell_failure", monitor=monitor, day=DAY).execute(context)
    assert not storage.exists(keys.failure)


def test_a_day_that_ends_well_is_no_failed_day_any_more_and_the_next_failure_is_new(monitor, storage, keys):
    end = EndDayOperator(task_id="day_done", monitor=monitor, day=DAY)
    end.execute(context_of({}))  # it never failed
    day_failed(monitor)(context_of(STATES, "ingest_shards", NeedsAttention("full")))
    end.execute(context_of({}, dry_run=True))
    assert storage.exists(keys.failure)
    end.execute(context_of({}))
    assert not storage.exists(keys.failure)
    assert outbox_of(monitor, day=DAY).alerts() == []


def test_a_day_with_a_verdict_stays_noted_as_failed_while_the_people_who_check_its_table_have_failed(
    monitor, storage, keys
):
    states = {"wait_for_people": "failed", "compare_with_people": "upstream_failed", "performance_ok": "success"}
    day_failed(monitor)(context_of(states, "wait_for_people", NeedsAttention("too few answers")))
    EndDayOperator(task_id="day_done", monitor=monitor, day=DAY).execute(context_of(states))
    assert base.find(storage, keys.failure, Failure).reason == "too few answers"
    assert len(outbox_of(monitor, day=DAY).alerts()) == 1


def test_a_retraining_whose_task_was_killed_is_told_too(monitor, storage):
    TellRetrainingOperator(task_id="tell_outcome", monitor=monitor).execute(context_of({"train_challenger": "failed"}))
    (alert,) = outbox_of(monitor, run_id=RUN).alerts()
    assert "failed: train_challenger" in alert.message
    assert NO_REASON[:40] in alert.message


def test_a_retraining_that_fails_elsewhere_is_told_anew_and_one_that_ends_well_after_all_is_not_told_as_failed(monitor):
    tell = TellRetrainingOperator(task_id="tell_outcome", monitor=monitor)
    ids = []
    for task in ("train_challenger", "gate"):
        tell.execute(context_of({task: "failed"}))
        ids += [alert.id for alert in outbox_of(monitor, run_id=RUN).alerts()]
    assert len(set(ids)) == 2
    tell.execute(context_of({"gate": "success"}))
    assert outbox_of(monitor, run_id=RUN).alerts() == []


def test_every_kind_of_alert_is_told_by_a_step(root, tmp_path, monkeypatch):
    import yaml
    from airflow.dag_processing.dagbag import DagBag

    example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    publish = {"sinks": ["whylabs"], "dataset": "m", "alert_source": "either"}
    registry = {"mlflow": {"connection": "mlflow_default"}}
    raw = {**example, "notifiers": [{"notifier": NAME}], "publish": publish, "registry": registry}
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(raw))
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    bag = DagBag(str(root / "dags"))
    assert bag.import_errors == {}
    day, retraining = bag.dags["cats_vs_dogs_monitoring"], bag.dags["cats_vs_dogs_retraining"]
    steps = {task.task_id: task for dag in (day, retraining) for task in dag.tasks if task.task_id.startswith("tell_")}
    assert set(steps) == {
        "tell_drift", "tell_performance", "tell_analysis", "tell_failure", "tell_outcome", "tell_mlflow", "tell_mlflow_challenger", "tell_models",
    }  # fmt: skip
    assert steps.pop("tell_mlflow").downstream_task_ids == {"tell_models"}
    others = {"tell_mlflow", steps.pop("tell_mlflow_challenger").task_id}
    told = {kind for task in steps.values() for kind in getattr(task, "kinds", ())}
    of_the_models = {"retraining_failed", "training_set_handed_over", "model_promoted", "model_rolled_back", "mlflow_alias_moved"}  # fmt: skip
    assert told | of_the_models | {*kinds_of_findings()} == set(get_args(AlertKind))
    for task in steps.values():
        # That nobody could be told is no failure of the day, and only its log says how to go on.
        callbacks = [callback.__name__ for callback in task.on_failure_callback]
        assert (task.downstream_task_ids, callbacks) == (set(), ["say_how_to_go_on"]), task.task_id
        # A branch skips what comes right after it, whatever its trigger rule.
        assert not task.upstream_task_ids & {"check_performance", "choose_action", "collect_training_set", "gate"}, (
            task.task_id
        )
        assert "**When it fails**: " in task.doc_md
    assert {task.task_id for task in day.leaves} - set(steps) - others == {"day_done"}
    assert {task.task_id for task in retraining.leaves} - set(steps) - others == {"retraining_done"}
