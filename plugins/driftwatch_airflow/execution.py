"""Puts the section `execution` of a monitor file onto the tasks of its DAGs, so that no DAG file speaks of queues and memory."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG
from airflow.sdk.definitions.mappedoperator import MappedOperator

from driftwatch.config.execution import KUBERNETES, STEPS
from driftwatch.errors import ConfigError

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.config.execution import StepExecution

# How Airflow calls the container of a task in its pod.
_CONTAINER = "base"


def apply_execution(dag: DAG, monitor: MonitorConfig) -> None:
    """Sets queue, pool, priority, retries, time limits, executor and pod of each task, and the time limit of the run.

    Raises ConfigError where a pod is described and the Kubernetes provider is missing.
    """
    execution = monitor.execution
    hours = {
        monitor.monitoring_dag_id: execution.day_timeout_hours,
        monitor.retraining_dag_id: execution.retraining_timeout_hours,
    }.get(dag.dag_id)
    if hours:
        dag.dagrun_timeout = timedelta(hours=hours)
    for task in dag.tasks:
        settings = task_settings(task.task_id, execution.of(task.task_id))
        if isinstance(task, MappedOperator):
            task.partial_kwargs.update(settings)
        else:
            for name, value in settings.items():
                setattr(task, name, value)


def task_settings(step: str, said: StepExecution) -> dict[str, Any]:
    """What is said of a step, as Airflow's arguments of a task; empty where nothing is."""
    found: dict[str, Any] = {
        "queue": said.queue,
        "pool": said.pool,
        "priority_weight": said.priority,
        "retries": said.retries,
        "execution_timeout": timedelta(minutes=said.timeout_minutes) if said.timeout_minutes else None,
        "executor": said.executor,
        "executor_config": _pod(step, said),
    }
    return {name: value for name, value in found.items() if value is not None}


def _pod(step: str, said: StepExecution) -> dict[str, Any] | None:
    """Airflow's pod override; None where nothing is said of a pod."""
    measured = said.executor == KUBERNETES
    memory = said.memory_mb or (STEPS.get(step) if measured else None)
    if not (memory or said.cpu):
        return None
    try:
        import airflow.providers.cncf.kubernetes  # noqa: F401  it writes the pod into Airflow's database
        from kubernetes.client import models
    except ImportError as error:
        raise ConfigError(
            f"execution: {step} has memory_mb or cpu, or the executor {KUBERNETES}, and Airflow's provider for Kubernetes is not installed here: "
            "pip install 'driftwatch[kubernetes]', also where DAG files are read, or take these settings out"
        ) from error
    requests = {"memory": f"{memory}Mi"} if memory else {}
    limits = dict(requests)
    if said.cpu:
        requests["cpu"] = f"{said.cpu:g}"
    resources = models.V1ResourceRequirements(requests=requests, limits=limits)
    container = models.V1Container(name=_CONTAINER, resources=resources)
    return {"pod_override": models.V1Pod(spec=models.V1PodSpec(containers=[container]))}
