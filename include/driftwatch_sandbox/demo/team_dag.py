"""
### The team's own training, in the demo

The retraining DAG of `cats_vs_dogs` triggers it when a training set was handed over (`retraining.handover_dag`). It trains on that set, leaves
the model in the place of the set as ONNX, registers it as a challenger, and asks for the comparison. It is no part of Driftwatch: a team's
model, packages and machines may be any.
"""

from __future__ import annotations

import sys
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

from driftwatch_airflow.operators.handover import RegisterChallengerOperator

PLACE = "{{ dag_run.conf['place'] }}"
OWN_MODEL = Path(__file__).parents[1] / "model.keras"

with DAG(
    "cats_vs_dogs_team",
    schedule=None,
    description="The team trains on the set that was handed over",
    doc_md=__doc__,
    tags=["the team"],
) as team:
    train = BashOperator(
        task_id="train",
        bash_command='"$PYTHON" -m driftwatch_sandbox.team retrain "$PLACE" "$OWN_MODEL"',
        env={"PYTHON": sys.executable, "PLACE": PLACE, "OWN_MODEL": str(OWN_MODEL)},
        append_env=True,
    )
    register = RegisterChallengerOperator(task_id="register", monitor="cats_vs_dogs", file=f"{PLACE}/model.onnx")
    compare = TriggerDagRunOperator(
        task_id="compare",
        trigger_dag_id="cats_vs_dogs_retraining",
        trigger_run_id="challenger__{{ ti.xcom_pull(task_ids='register') }}",
        logical_date=None,
        conf={"challenger": "{{ ti.xcom_pull(task_ids='register') }}"},
        skip_when_already_exists=True,
    )
    train >> register >> compare
