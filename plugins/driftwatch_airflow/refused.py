"""The DAG that Airflow shows in place of a monitor file that was refused. It says why. The other monitors go on."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitors
from driftwatch.config.refusals import shown
from driftwatch.errors import ConfigError
from driftwatch_airflow.execution import apply_execution

_LONGEST_NAME = 200  # Airflow's keys have at most 250 characters


class RefusedMonitorOperator(BaseOperator):
    """Fails with the reason for which the monitor file was refused."""

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Any) -> None:
        raise AirflowFailException(self.message)


def dags_of_monitors(build: Callable[[MonitorConfig], DAG | None], kind: str, refused: bool = True) -> dict[str, DAG]:
    """The DAGs of all monitor files, by id. The DAG of a refused file says why it was refused. A mistake in one file stops no other.

    `build` gives None for a monitor that has no such DAG. `refused`: false where other DAGs of the file say already that it was refused.
    """
    dags: dict[str, DAG] = {}
    for path, monitor in load_monitors():
        if isinstance(monitor, MonitorConfig):
            try:
                dag = build(monitor)
                if dag is not None:
                    apply_execution(dag, monitor)
            except Exception as error:
                said = f"{type(error).__name__}: {str(error)[:300]}"
                problem = f"{shown(path)}: its DAG cannot be made ({said}): correct in the file what this names"
                dag = refused_monitor_dag(path, kind, ConfigError(problem))
        else:
            dag = refused_monitor_dag(path, kind, monitor) if refused else None  # one that is made is shown
        if dag is not None:
            dags[dag.dag_id] = dag
    return dags


def refused_dag_id(path: Path, kind: str = "monitoring") -> str:
    """The id of a refused file's DAG: the file's name, and some digits of its hash if the name cannot be part of an id."""
    name = path.stem
    if path.suffix != ".yaml" or not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]
        name = f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', name)[:_LONGEST_NAME]}_{digest}"
    return f"{name}_{kind}_refused"


def refused_monitor_dag(path: Path, kind: str, error: ConfigError) -> DAG:
    """A DAG with the name of the file. Its documentation and its one task say what is wrong with the file."""
    name, text = shown(path.name), str(error).replace("```", "'''")
    with DAG(
        dag_id=refused_dag_id(path, kind),
        description=f"{name} was refused",
        doc_md=f"### {name} was refused\n\n```\n{text}\n```\n\nCorrect the file: then the monitor's own DAG comes back by itself.",
        schedule=None,
        tags=["driftwatch", "refused"],
    ) as dag:
        RefusedMonitorOperator(task_id="monitor_file_refused", message=text)
    return dag
