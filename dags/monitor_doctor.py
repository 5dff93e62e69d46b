"""
### Can the days of a monitor work?

Asks the storage, the label service, the sinks, the notifiers and the model of one monitor, as its days would, and looks whether its
numbers can ever give a verdict and a promotion. Nothing is bought, published or changed: one small object is written and removed again.
The log of the task has a table with what to do for each line, and the task fails where something is wrong.

`driftwatch doctor` does the same from the command line, by the connections that it finds there.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from driftwatch_airflow.operators.doctor import ExamineMonitorOperator

PARAMS = {
    "monitor": Param(
        None,
        type=["null", "string"],
        maxLength=61,
        title="Monitor",
        description="The name of the monitor, as its file says.",
    ),
    "notify": Param(
        False,
        type="boolean",
        title="Send a test message",
        description="Also send a test message by every notifier of the monitor file.",
    ),
}

with DAG(
    dag_id="driftwatch_doctor",
    description="Asks everything that the days of a monitor need whether they can work",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    tags=["driftwatch", "doctor"],
    params=PARAMS,
):
    ExamineMonitorOperator(task_id="examine_monitor")
