"""
### Forget images

Takes images out of everything that is stored of a monitor: the model's inputs, the copies that annotators were shown, tables, references,
reports, and the label service's tasks. Every count stays true. The log has the receipt, which is stored too, and says where the images live on.
`driftwatch forget` does the same from the command line, but for the label service.

Pause the monitor's other DAGs first, and wait until no task of them runs. What is written into the form stays in Airflow's database: delete the run afterwards.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from driftwatch.config import MonitorConfig
from driftwatch_airflow.monitor import owner_links, task_defaults
from driftwatch_airflow.operators.forget import ForgetImagesOperator
from driftwatch_airflow.refused import dags_of_monitors


def forget_params() -> dict[str, Param]:
    """The trigger form."""
    return {
        "images": Param(
            "",
            type="string",
            format="multiline",
            maxLength=100_000,
            title="Images",
            description="The sha256 of each image's file, or its key below the monitor's folder, such as incoming/2026-01-08/0001.jpg: one a line.",
        ),
        "apply": Param(
            False,
            type="boolean",
            title="Forget them",
            description="Off: the log says what would be done, and lists images that look nearly the same. On: it is done, and cannot be undone.",
        ),
    }


def forget_dag(monitor: MonitorConfig) -> DAG:
    """The DAG that forgets images of one monitor. Only a person starts it."""
    with DAG(
        dag_id=monitor.forget_dag_id,
        description=f"Forgets images of {monitor.name}",
        doc_md=__doc__,
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=["driftwatch", "forget", monitor.name],
        owner_links=owner_links(monitor),
        params=forget_params(),
        default_args=task_defaults(monitor),
    ) as dag:
        ForgetImagesOperator(task_id="forget_images", monitor=monitor)
    return dag


globals().update(dags_of_monitors(forget_dag, "forget", refused=False))
