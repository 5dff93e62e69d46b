"""What stands in the UI for a monitor file that was refused: the other monitors go on, and this one is not silent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from driftwatch.errors import ConfigError


class RefusedMonitorOperator(BaseOperator):
    """Fails with the reason for which the monitor file was refused."""

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Any) -> None:
        raise AirflowFailException(self.message)


def refused_monitor_dag(path: Path, kind: str, error: ConfigError) -> DAG:
    """A DAG named by the file, whose documentation and one task say what is wrong with it."""
    name = re.sub(r"\W+", "_", path.stem)
    with DAG(
        dag_id=f"{name}_{kind}_refused",
        description=f"{path.name} was refused",
        doc_md=f"### {path.name} was refused\n\n```\n{error}\n```\n\nCorrect the file; the DAG comes back by itself.",
        schedule=None,
        tags=["driftwatch", "refused"],
    ) as dag:
        RefusedMonitorOperator(task_id="monitor_file_refused", message=str(error))
    return dag
