"""
### Retraining of an image classifier

Trains the champion (the model that serves) further on the original training set and the human labels of a range of days. The result is
the challenger. Compares the two on the same held-out images, and promotes the challenger only if it is better on the recent days and not
worse on clean images.

- **An alert** of the monitoring DAG starts it, once for each day, and only one at a time. An alert that comes while a retraining is
  under way is attached to that one.
- **Too little evidence**: a challenger that seems better waits (`retraining.pending_days`). The run of each day whose labels come in meanwhile,
  with an alert or without, trains nothing. It compares the same challenger again, with the labels of the days since.
- **By hand**: trigger it; every field of the form says what it does. `dry_run` shows the training set, the estimated time and what
  would be replaced, and stops.
- **A team that trains elsewhere** (`retraining.trainer: handover`): the run hands the training set over, and ends. The model that comes
  back is registered by `driftwatch challenger register`; then trigger this DAG with `challenger` set to its version, and it is compared and
  promoted like any other.
- **Roll back**: trigger it with `rollback` set to `previous`, or to a version. Nothing is trained.
- If a run fails, or the challenger does not pass the gate (the comparison), the champion stays.
"""

from __future__ import annotations

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, TriggerRule

from driftwatch.artifacts.nested_keys import run_key
from driftwatch.config import MonitorConfig
from driftwatch_airflow.assets import champion_asset, handover_asset, reference_asset
from driftwatch_airflow.failures import retraining_failed
from driftwatch_airflow.monitor import owner_links, task_defaults
from driftwatch_airflow.operators.handover import HandOverOperator, TakeUpChallengerOperator, TriggerHandoverOperator
from driftwatch_airflow.operators.mlflow import TellMlflowOperator
from driftwatch_airflow.operators.promotion import (
    ApprovePromotionOperator,
    GateOperator,
    PromoteModelOperator,
    RefreshReferenceOperator,
    RollBackOperator,
)
from driftwatch_airflow.operators.retraining import (
    ChooseActionOperator,
    CollectTrainingSetOperator,
    EvaluateChallengerOperator,
    ShowPlanOperator,
    TrainChallengerOperator,
)
from driftwatch_airflow.operators.telling import TellModelsOperator, TellRetrainingOperator
from driftwatch_airflow.refused import dags_of_monitors


def retraining_params(monitor: MonitorConfig) -> dict[str, Param]:
    """The trigger form."""
    settings, recipe = monitor.retraining, monitor.model.recipe
    return {
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Show the training set, the estimated time and what would be replaced, and stop: nothing is written.",
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            maxLength=500,
            title="Reason",
            description="Why you retrain. The model card keeps it.",
        ),
        "first_day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="First day",
            description=f"First day whose labels are used. Empty: {settings.days_back} days up to the last one.",
            section="Training set",
        ),
        "last_day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Last day",
            description="Last day whose labels are used. Empty: the newest day that has labels.",
            section="Training set",
        ),
        "min_confidence": Param(
            settings.min_confidence,
            type="number",
            minimum=0,
            maximum=1,
            title="Least agreement",
            description="The share of the votes, 0 to 1, that must agree with a label. Labels with less are not trained on.",
            section="Training set",
        ),
        "segments": Param(
            settings.segments.model_dump(mode="json"),
            type="object",
            properties={"only": {"type": "object"}, "weights": {"type": "object"}},
            additionalProperties=False,
            title="Segments",
            description="only: the segments whose labels are trained on; weights: how much more often labels of a segment are drawn. The gate judges all segments.",
            section="Training set",
        ),
        "start_from": Param(
            settings.start_from,
            enum=["champion", "scratch"],
            title="Start from",
            description="champion: fine-tune it. scratch: a new model by the monitor file's recipe, on the same set.",
            section="Training",
        ),
        "epochs": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            maximum=500,
            title="Epochs",
            description=f"Passes over the training set, 1 to 500. Empty: {settings.epochs} from the champion, {recipe.epochs} from scratch.",
            section="Training",
        ),
        "learning_rate": Param(
            None,
            type=["null", "number"],
            exclusiveMinimum=0,
            maximum=0.1,
            title="Learning rate",
            description=f"Peak learning rate, up to 0.1. Empty: {settings.learning_rate:g} from the champion, {recipe.learning_rate:g} from scratch.",
            section="Training",
        ),
        "imitate_drift": Param(
            settings.imitate_drift,
            type="boolean",
            title="Imitate the drift",
            description="Also train on original images damaged as the drifted days' features show.",
            section="Training",
        ),
        "seed": Param(
            settings.seed,
            type="integer",
            minimum=0,
            maximum=2**31 - 1,
            title="Seed",
            description="Seed of training; the same seed and set give the same model.",
            section="Training",
        ),
        "max_clean_drop": Param(
            settings.max_clean_drop,
            type="number",
            minimum=0,
            maximum=1,
            title="Allowed loss on clean images",
            description="The gate must be able to rule out a larger loss of accuracy; 0 to 1.",
            section="Gate and hand-over",
        ),
        "max_class_drop": Param(
            settings.max_class_drop,
            type="number",
            minimum=0,
            maximum=1,
            title="Allowed loss of a class",
            description="The champion stays if a class lost more recall (the share of its images that the model finds) than this on clean images, and chance does not explain it; 0 to 1.",
            section="Gate and hand-over",
        ),
        "promotion": Param(
            settings.promotion,
            enum=["auto", "approval", "never"],
            title="Promotion",
            description="auto: promote when the gate is passed. approval: ask a person. never: only train and compare.",
            section="Gate and hand-over",
        ),
        "challenger": Param(
            None,
            type=["null", "string"],
            maxLength=60,
            pattern=r"^v[0-9]{4,}-[0-9a-f]{8}$",
            title="Compare a challenger",
            description="Trains nothing: compares this version, which was trained elsewhere, with the champion. A version such as v0002-1a2b3c4d, "
            "as `driftwatch challenger register` prints it.",
            section="Trained elsewhere",
        ),
        "rollback": Param(
            None,
            type=["null", "string"],
            maxLength=60,
            pattern=r"^(previous|v[0-9]{4,}-[0-9a-f]{8})$",
            title="Roll back to",
            description="Trains nothing: makes this version the champion again. A version such as v0001-1a2b3c4d, or previous.",
            section="Roll back instead",
        ),
    }


def retraining_dag(monitor: MonitorConfig) -> DAG | None:
    """The retraining DAG of one monitor; None for a monitor without labels, which has nothing to train and to compare models by."""
    if not monitor.labels.labelled:
        return None
    champion, reference = champion_asset(monitor.name), reference_asset(monitor.name)
    with DAG(
        dag_id=monitor.retraining_dag_id,
        description=f"Retrains the model of {monitor.name}",
        doc_md=__doc__,
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=["driftwatch", "retraining", monitor.name],
        owner_links=owner_links(monitor),
        params=retraining_params(monitor),
        user_defined_macros={"run_key": run_key},
        default_args=task_defaults(monitor) | {"on_failure_callback": retraining_failed(monitor)},
    ) as dag:
        choose_action = ChooseActionOperator(
            task_id="choose_action",
            monitor=monitor,
            on_plan="show_plan",
            on_rollback="roll_back",
            on_challenger="take_up_challenger",
            on_retrain="collect_training_set",
        )
        show_plan = ShowPlanOperator(task_id="show_plan", monitor=monitor)
        roll_back = RollBackOperator(task_id="roll_back", monitor=monitor, outlets=[champion])
        collect_training_set = CollectTrainingSetOperator(
            task_id="collect_training_set", monitor=monitor, on_train="train_challenger", on_handover="hand_over"
        )
        hand_over = HandOverOperator(task_id="hand_over", monitor=monitor, outlets=[handover_asset(monitor.name)])
        take_up_challenger = TakeUpChallengerOperator(task_id="take_up_challenger", monitor=monitor)
        train_challenger = TrainChallengerOperator(task_id="train_challenger", monitor=monitor)
        evaluate_challenger = EvaluateChallengerOperator(
            task_id="evaluate_challenger", monitor=monitor, trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
        )
        gate = GateOperator(
            task_id="gate",
            monitor=monitor,
            on_keep="keep_champion",
            on_approval="approve_promotion",
            on_promote="promote_model",
        )
        approve_promotion = ApprovePromotionOperator(task_id="approve_promotion", monitor=monitor)
        promote_model = PromoteModelOperator(
            task_id="promote_model",
            monitor=monitor,
            outlets=[champion],
            trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        )
        refresh_reference = RefreshReferenceOperator(
            task_id="refresh_reference",
            monitor=monitor,
            outlets=[reference],
            trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
        )
        keep_champion = EmptyOperator(task_id="keep_champion")

        choose_action >> [collect_training_set, take_up_challenger, show_plan, roll_back]
        collect_training_set >> [train_challenger, hand_over]
        [train_challenger, take_up_challenger] >> evaluate_challenger >> gate
        gate >> [keep_champion, approve_promotion, promote_model]
        approve_promotion >> promote_model
        [promote_model, roll_back] >> refresh_reference
        ends = [show_plan, keep_champion, refresh_reference, hand_over]
        if monitor.retraining.handover_dag:
            ends[-1] = TriggerHandoverOperator(task_id="trigger_handover", monitor=monitor)
            hand_over >> ends[-1]

        if monitor.registry.mlflow:
            [train_challenger, take_up_challenger] >> TellMlflowOperator(
                task_id="tell_mlflow_challenger",
                monitor=monitor,
                trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
            )
            tell_mlflow = TellMlflowOperator(task_id="tell_mlflow", monitor=monitor, trigger_rule=TriggerRule.ALL_DONE)
            ends >> tell_mlflow
            if monitor.notifiers:
                tell_mlflow >> TellModelsOperator(task_id="tell_models", monitor=monitor)
        if monitor.notifiers:
            ends >> TellRetrainingOperator(task_id="tell_outcome", monitor=monitor)
        if monitor.registry.mlflow or monitor.notifiers:
            # The steps that tell others end the graph, and their success says nothing of the retraining. With this step the run also fails
            # if the retraining failed.
            ends >> EmptyOperator(task_id="retraining_done", trigger_rule=TriggerRule.NONE_FAILED)
    return dag


globals().update(dags_of_monitors(retraining_dag, "retraining"))
