"""
### Retraining of an image classifier

Fine-tunes the champion on the original training set and the human labels of a range of days, compares challenger and champion
on the same held-out images, and promotes the challenger only where it is better on the recent days and not worse on clean ones.

- **An alert** of the monitoring DAG starts it, once for each day.
- **By hand**: trigger it; every field of the form says what it does. `dry_run` shows the training set and stops.
- A run that fails, or a gate that is not passed, leaves the champion alone.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param, TriggerRule

from driftwatch.config import MonitorConfig
from driftwatch.errors import ConfigError
from driftwatch.monitor_files import load_monitor, monitor_files
from driftwatch_airflow.alerts import retraining_failed
from driftwatch_airflow.monitor import task_defaults
from driftwatch_airflow.operators.retraining import (
    CollectTrainingSetOperator,
    EvaluateChallengerOperator,
    GateOperator,
    PromoteModelOperator,
    RefreshReferenceOperator,
    TrainChallengerOperator,
    run_key,
)
from driftwatch_airflow.refused import refused_monitor_dag

APPROVAL_BODY = """
The gate was passed: {{ ti.xcom_pull(task_ids='evaluate_challenger')['reasons'] | join(' ') }}

Approve to make **{{ ti.xcom_pull(task_ids='evaluate_challenger')['challenger'] }}** the champion. Without an answer in time the
champion stays.
"""


def retraining_params(monitor: MonitorConfig) -> dict[str, Param]:
    """The trigger form."""
    settings = monitor.retraining
    return {
        "first_day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="First day",
            description=f"First day whose labels are used. Empty: {settings.days_back} days up to the last one.",
        ),
        "last_day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Last day",
            description="Last day whose labels are used. Empty: the newest day that has labels.",
        ),
        "epochs": Param(
            settings.epochs,
            type="integer",
            minimum=1,
            maximum=500,
            title="Epochs",
            description="Passes over the training set.",
        ),
        "promotion": Param(
            settings.promotion,
            enum=["auto", "approval", "never"],
            title="Promotion",
            description="auto: promote when the gate is passed. approval: ask a person. never: only train and compare.",
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            maxLength=500,
            title="Reason",
            description="Why it is retrained; it stands in the model card.",
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Show the training set and stop: nothing is trained or promoted.",
        ),
    }


def retraining_dag(monitor: MonitorConfig) -> DAG:
    """The retraining DAG of one monitor."""
    with DAG(
        dag_id=monitor.retraining_dag_id,
        description=f"Retrains the model of {monitor.name}",
        doc_md=__doc__,
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=["driftwatch", "retraining", monitor.name],
        params=retraining_params(monitor),
        user_defined_macros={"run_key": run_key},
        default_args=task_defaults(monitor) | {"on_failure_callback": retraining_failed(monitor)},
    ) as dag:
        collect_training_set = CollectTrainingSetOperator(task_id="collect_training_set", monitor=monitor)
        train_challenger = TrainChallengerOperator(task_id="train_challenger", monitor=monitor)
        evaluate_challenger = EvaluateChallengerOperator(task_id="evaluate_challenger", monitor=monitor)
        gate = GateOperator(
            task_id="gate",
            monitor=monitor,
            on_keep="keep_champion",
            on_approval="approve_promotion",
            on_promote="promote_model",
        )
        approve_promotion = ApprovalOperator(
            task_id="approve_promotion",
            subject=f"Promote a new model for {monitor.name}?",
            body=APPROVAL_BODY,
            defaults="Reject",
            response_timeout=timedelta(hours=monitor.retraining.approval_hours),
        )
        promote_model = PromoteModelOperator(
            task_id="promote_model", monitor=monitor, trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
        )
        refresh_reference = RefreshReferenceOperator(task_id="refresh_reference", monitor=monitor)
        keep_champion = EmptyOperator(task_id="keep_champion")

        collect_training_set >> train_challenger >> evaluate_challenger >> gate
        gate >> [keep_champion, approve_promotion, promote_model]
        approve_promotion >> promote_model >> refresh_reference
    return dag


for path in monitor_files():
    try:
        found = retraining_dag(load_monitor(path))
    except ConfigError as error:
        found = refused_monitor_dag(path, "retraining", error)
    globals()[found.dag_id] = found
