"""What a monitor file says of queues, pools, retries, time limits and pods is what Airflow's own serialised DAG has."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftwatch.config.execution import STEPS, StepExecution
from driftwatch.errors import ConfigError
from driftwatch_airflow.execution import task_settings
from driftwatch_airflow.task_docs import _WHAT_AND_WHEN

MARKERS = {
    "performance_ok",
    "correction_ok",
    "keep_champion",
    "retraining_done",
}  # steps that do nothing, and need no words


@pytest.fixture
def dags_with(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The DAGs of the example's file with this section `execution`."""

    def make(execution: dict[str, Any]) -> dict[str, Any]:
        from airflow.dag_processing.dagbag import DagBag

        example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8"))
        (tmp_path / "cats.yaml").write_text(yaml.safe_dump({**example, "execution": execution}), encoding="utf-8")
        monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
        bag = DagBag(str(root / "dags"))
        assert bag.import_errors == {}
        return bag.dags

    return make


def test_each_step_that_there_is_can_be_named() -> None:
    of_all_monitors = {"examine_monitor", "look_at_monitors", "tell_findings", "ping", "keep_files"}
    assert set(STEPS) == {*_WHAT_AND_WHEN, *MARKERS} - of_all_monitors


def test_queue_pool_priority_retries_and_limits_reach_airflow_for_mapped_tasks_too(dags_with) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    dags = dags_with(
        {
            "defaults": {"pool": "watch", "retries": 2},
            "steps": {
                "predict_shards": {"queue": "gpu", "priority": 7, "timeout_minutes": 30},
                "train_challenger": {"queue": "gpu", "retries": 0, "timeout_minutes": 90},
                "performance_ok": {"pool": "small"},
            },
            "day_timeout_hours": 96,
            "retraining_timeout_hours": 12,
        }
    )
    day, retraining = (
        DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dags[f"cats_vs_dogs_{kind}"]))
        for kind in ("monitoring", "retraining")
    )
    assert (day.dagrun_timeout, retraining.dagrun_timeout) == (timedelta(hours=96), timedelta(hours=12))
    shards, train = day.get_task("predict_shards"), retraining.get_task("train_challenger")
    assert shards.is_mapped
    assert (shards.queue, shards.pool, shards.priority_weight, shards.retries) == ("gpu", "watch", 7, 2)
    assert shards.execution_timeout == timedelta(minutes=30)
    assert (train.queue, train.pool, train.retries) == ("gpu", "watch", 0)
    assert train.execution_timeout == timedelta(minutes=90)
    assert day.get_task("performance_ok").pool == "small"
    gone_on = day.get_task("ingest_images")
    assert (gone_on.queue, gone_on.pool, gone_on.retries) == ("default", "watch", 2)


def test_a_file_that_says_nothing_leaves_every_task_as_it_was(dags_with) -> None:
    task = dags_with({})["cats_vs_dogs_monitoring"].get_task("ingest_images")
    assert (task.queue, task.pool, task.retries, task.executor, task.executor_config) == (
        "default",
        "default_pool",
        7,
        None,
        {},
    )


def test_without_the_provider_a_pod_is_refused_with_what_to_install(dags_with, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.cncf.kubernetes", None)
    dags = dags_with({"steps": {"train_challenger": {"memory_mb": 4000}}})
    refused = dags["cats_retraining_refused"]
    assert "pip install 'driftwatch[kubernetes]'" in refused.doc_md
    assert "train_challenger" in refused.doc_md
    assert "cats_vs_dogs_monitoring" in dags
    with pytest.raises(ConfigError, match="memory_mb or cpu"):
        task_settings("gate", StepExecution(cpu=2))


def test_with_the_provider_a_pod_asks_for_what_is_said_or_for_what_was_measured() -> None:
    said = task_settings("train_challenger", StepExecution(memory_mb=4000, cpu=1.5))["executor_config"]
    resources = said["pod_override"].spec.containers[0].resources
    assert (resources.requests, resources.limits) == ({"memory": "4000Mi", "cpu": "1.5"}, {"memory": "4000Mi"})
    measured = task_settings("gate", StepExecution(executor="KubernetesExecutor"))["executor_config"]
    assert measured["pod_override"].spec.containers[0].resources.requests == {"memory": f"{STEPS['gate']}Mi"}
