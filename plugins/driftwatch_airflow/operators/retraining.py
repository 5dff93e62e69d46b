"""The retraining DAG's first steps: choose what to do, show the plan, collect the training set, train the challenger (the new model), and
compare it with the champion (the model that serves)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.branch import BranchMixIn

from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.monitor import MonitorOperator
from driftwatch_airflow.old_names import old_names
from driftwatch_airflow.reports import renew_report_if_possible
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.retraining import DatasetCard
    from driftwatch.lineage.datasets import Lineage

__getattr__ = old_names(
    __name__,
    {
        "ApprovePromotionOperator": "driftwatch_airflow.operators.promotion:ApprovePromotionOperator",
        "GateOperator": "driftwatch_airflow.operators.promotion:GateOperator",
        "PromoteModelOperator": "driftwatch_airflow.operators.promotion:PromoteModelOperator",
        "RefreshReferenceOperator": "driftwatch_airflow.operators.promotion:RefreshReferenceOperator",
        "RollBackOperator": "driftwatch_airflow.operators.promotion:RollBackOperator",
        "run_key": "driftwatch.artifacts.nested_keys:run_key",
    },
)

PREVIOUS = "previous"


class RetrainingOperator(MonitorOperator):
    """A step of one retraining request.

    :param monitor: the validated monitor file.
    :param request: the request's key, derived from the run id.
    """

    template_fields: Sequence[str] = ("request",)

    def __init__(self, *, request: str = "{{ run_key(run_id) }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.request = request

    def requested(self, context: Context) -> MonitorStore:
        """The monitor's store, with the settings that the run's form changes."""
        from driftwatch.models.requests import requested

        return self.store.with_config(requested(self.monitor, context["params"]))

    def renew_reports(self) -> None:
        """Writes the reports of the days anew whose alerts asked for this retraining: they say what it came to."""
        from driftwatch.models.requests import alert_day, attached_alerts

        own = alert_day(self.request)
        for day in [*([own] if own else []), *attached_alerts(self.store, self.request)]:
            renew_report_if_possible(self.store.day(day))

    def range(self, context: Context) -> tuple[date, date]:
        """First and last day whose labels are used."""
        params, store = context["params"], self.store
        labelled = [day for day in store.days() if store.storage.exists(store.keys.day(day).labels)]
        if not labelled:
            raise NeedsAttention(
                f"{store.storage.url(store.keys.days)}: no day has labels yet, so there is nothing to learn from: run the monitoring DAG until "
                "merge_annotations has succeeded for a day, then trigger the retraining again"
            )
        last = date.fromisoformat(params["last_day"]) if params.get("last_day") else max(labelled)
        if params.get("first_day"):
            first = date.fromisoformat(params["first_day"])
        else:
            first = last - timedelta(days=self.monitor.retraining.days_back - 1)
        if first > last:
            raise NeedsAttention(f"first_day {first} is after last_day {last}: swap them in the trigger form")
        return first, last


class ChooseActionOperator(RetrainingOperator, BranchMixIn):
    """Follows the form: show the plan where it is a dry run, roll back or compare a challenger where a version is named for it, else
    retrain. The run of an alert compares the challenger that waits for evidence, if there is one."""

    ui_color = "#f9f3e3"
    inherits_from_skipmixin = True  # so a branch that was not taken stays skipped where its task is cleared alone

    def __init__(self, *, on_plan: str, on_rollback: str, on_challenger: str, on_retrain: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_plan = on_plan
        self.on_rollback = on_rollback
        self.on_challenger = on_challenger
        self.on_retrain = on_retrain

    def execute(self, context: Context) -> str:
        from driftwatch.models.requests import begin

        params, run_id = context["params"], context["run_id"]
        if params.get("rollback") and params.get("challenger"):
            raise NeedsAttention("the form has both rollback and challenger: empty one of them, and trigger again")
        if params.get("dry_run"):
            chosen = self.on_plan
        elif params.get("rollback"):
            chosen = self.on_rollback
        else:
            chosen = self.on_challenger if params.get("challenger") or self._looks_again(run_id) else self.on_retrain
            begin(self.store, self.request, run_id)
        self.do_branch(context, chosen)
        return chosen

    def _looks_again(self, run_id: str) -> bool:
        from driftwatch.models.requests import alert_day
        from driftwatch.models.waiting import looks_again

        day = alert_day(run_id)
        return day is not None and looks_again(self.store, self.request, day)


class ShowPlanOperator(RetrainingOperator):
    """Shows what the run would do: the training set, the estimated time, and the model that it would replace. Nothing is written."""

    def execute(self, context: Context) -> XCom:
        params = context["params"]
        if params.get("rollback"):
            shown = self._rollback(version_asked_for(params["rollback"]))
        elif params.get("challenger"):
            shown = self._comparison(context, params["challenger"])
        else:
            shown = self._retraining(context)
        for line in shown["text"]:
            self.log.info(line)
        return shown

    def _retraining(self, context: Context) -> XCom:
        from driftwatch.models.retraining_plan import plan_retraining
        from driftwatch.view.plan_text import retraining_lines

        plan = plan_retraining(self.requested(context), *self.range(context))
        return {
            "action": "hand over" if plan.seconds is None else "retrain",
            "set": for_xcom(plan.set),
            "seconds": None if plan.seconds is None else round(plan.seconds),
            "champion": plan.champion,
            "text": retraining_lines(plan),
        }

    def _comparison(self, context: Context, version: str) -> XCom:
        from driftwatch.models.retraining_plan import plan_comparison
        from driftwatch.view.plan_text import comparison_lines

        plan = plan_comparison(self.requested(context), version)
        return {
            "action": "compare",
            "version": plan.version,
            "champion": plan.champion,
            "text": comparison_lines(plan),
        }

    def _rollback(self, to_version: str | None) -> XCom:
        from driftwatch.models.retraining_plan import plan_rollback
        from driftwatch.view.plan_text import rollback_lines

        plan = plan_rollback(self.store, to_version)
        return {
            "action": "rollback",
            "version": plan.version,
            "champion": plan.champion,
            "text": rollback_lines(plan),
        }


class CollectTrainingSetOperator(RetrainingOperator, BranchMixIn):
    """The original training set and the range's human labels, evaluation images kept apart. Then it is trained on here, or handed over
    to the team, as `retraining.trainer` says."""

    inherits_from_skipmixin = True  # so a branch that was not taken stays skipped where its task is cleared alone

    def __init__(self, *, on_train: str, on_handover: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_train = on_train
        self.on_handover = on_handover

    def execute(self, context: Context) -> XCom:
        from driftwatch.config.retraining import HANDOVER
        from driftwatch.models.dataset import collect_training_set
        from driftwatch.models.trainers import trainer_name

        first, last = self.range(context)
        store = self.requested(context)
        summary = for_xcom(collect_training_set(store, self.request, first, last))
        log_decision(
            self.log,
            "training_set_collected",
            f"Training set of {first} to {last}: {summary}",
            monitor=self.monitor.name,
            request=self.request,
            first_day=first.isoformat(),
            last_day=last.isoformat(),
            images=summary["images"],
            new_labels=summary["new_labels"],
            left_out=summary["left_out"],
        )
        self.do_branch(context, self.on_handover if trainer_name(store) == HANDOVER else self.on_train)
        return summary

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.collected(self.store, self.request)


def for_xcom(card: DatasetCard) -> XCom:
    return card.model_dump(mode="json", exclude_unset=True)


class TrainChallengerOperator(RetrainingOperator):
    """Trains the challenger on the set and registers it; the champion keeps serving. A killed task goes on from its last epoch."""

    def execute(self, context: Context) -> str:
        from driftwatch.models.challenger import train_challenger

        return train_challenger(self.requested(context), self.request, requested_by(context))

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.trained(self.store, self.request)


class EvaluateChallengerOperator(RetrainingOperator):
    """Compares champion and challenger on the same evaluation images, which neither was trained on."""

    def execute(self, context: Context) -> XCom:
        from driftwatch.models.gate import evaluate_challenger
        from driftwatch.view.gate import reason_text

        gate = evaluate_challenger(self.requested(context), self.request, in_words=reason_text)
        deciding = gate.recent.deciding
        log_decision(
            self.log,
            "gate_verdict",
            f"Gate: {gate.decision}. {' '.join(gate.reasons)}",
            monitor=self.monitor.name,
            request=self.request,
            decision=gate.decision,
            challenger=gate.version,
            champion=gate.champion,
            difference=deciding.difference,
            low=deciding.low,
            p_value=deciding.p_value,
            reasons=list(gate.reasons),
        )
        return {"decision": gate.decision, "reasons": list(gate.reasons), "challenger": gate.version}

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.compared(self.store, self.request)


def requested_by(context: Context) -> str:
    """Why the run was started, and by whom, for cards."""
    asked: str = context["params"].get("reason") or f"run {context['run_id']}"
    user = getattr(context.get("dag_run"), "triggering_user_name", None)
    return f"{asked}, by {user}" if user else asked


def version_asked_for(asked: str) -> str | None:
    """The version that the form's `rollback` names. None for the champion before this one."""
    return None if asked == PREVIOUS else asked
