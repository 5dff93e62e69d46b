"""The retraining DAG's steps: choose, collect, train, compare, and hand over; or show the plan, or roll back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.bases.branch import BranchMixIn

from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models.requests import run_key as run_key
from driftwatch_airflow.alerts import send_alert
from driftwatch_airflow.assets import tell_followers
from driftwatch_airflow.links import MonitorPageLink
from driftwatch_airflow.monitor import RETRY_POLICY, MonitorOperator, storage_of
from driftwatch_airflow.operators.publish import keep_whylabs_monitors, sinks_of
from driftwatch_airflow.task_docs import task_doc

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.config import MonitorConfig

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
        """The monitor file with what the run's form says instead."""
        from driftwatch.models.requests import requested

        return self.store.with_config(requested(self.monitor, context["params"]))

    def range(self, context: Context) -> tuple[date, date]:
        """First and last day whose labels are used."""
        params = context["params"]
        labelled = [
            day for day in self.layout.stored_days(self.storage) if self.storage.exists(self.layout.day(day).labels)
        ]
        if not labelled:
            raise NeedsAttention(
                f"{self.storage.url(self.layout.days)}: no day has labels yet, so there is nothing to learn from"
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
    """Follows the form: show the plan where it is a dry run, roll back where a version is named, else retrain."""

    ui_color = "#f9f3e3"

    def __init__(self, *, on_plan: str, on_rollback: str, on_retrain: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_plan = on_plan
        self.on_rollback = on_rollback
        self.on_retrain = on_retrain

    def execute(self, context: Context) -> str:
        from driftwatch.models.requests import begin

        params, run_id = context["params"], context["run_id"]
        if params.get("dry_run"):
            chosen = self.on_plan
        elif params.get("rollback"):
            chosen = self.on_rollback
        else:
            chosen = self.on_retrain
            begin(self.store, self.request, run_id)
        self.do_branch(context, chosen)
        return chosen


class ShowPlanOperator(RetrainingOperator):
    """What the run would do: the set, the estimated time, and what it would replace. Nothing is written."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.models.retraining_plan import plan_retraining, plan_rollback

        params = context["params"]
        if params.get("rollback"):
            plan = plan_rollback(self.store, rollback_target(params["rollback"]))
        else:
            plan = plan_retraining(self.requested(context), *self.range(context))
        for line in plan["text"]:
            self.log.info(line)
        return plan


class CollectTrainingSetOperator(RetrainingOperator):
    """The original training set and the range's human labels, evaluation images kept apart."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.models.dataset import collect_training_set

        first, last = self.range(context)
        summary = collect_training_set(self.requested(context), self.request, first, last)
        self.log.info("Training set of %s to %s: %s", first, last, summary)
        return summary


class TrainChallengerOperator(RetrainingOperator):
    """Trains the challenger on the set and registers it; the champion keeps serving. A killed task goes on from its last epoch."""

    def execute(self, context: Context) -> str:
        from driftwatch.models.challenger import train_challenger

        asked = context["params"].get("reason") or f"run {context['run_id']}"
        user = getattr(context.get("dag_run"), "triggering_user_name", None)
        requested_by = f"{asked}, by {user}" if user else asked
        return train_challenger(self.requested(context), self.request, requested_by)


class EvaluateChallengerOperator(RetrainingOperator):
    """Champion and challenger on the same evaluation images."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.models.gate import evaluate_challenger

        gate = evaluate_challenger(self.requested(context), self.request)
        self.log.info("Gate: %s. %s", gate["decision"], " ".join(gate["reasons"]))
        return {"decision": gate["decision"], "reasons": gate["reasons"], "challenger": gate["version"]}


class GateOperator(RetrainingOperator, BranchMixIn):
    """Follows the gate's decision and the promotion setting: keep, ask a person, or promote."""

    ui_color = "#f9f3e3"

    def __init__(self, *, on_keep: str, on_approval: str, on_promote: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_keep = on_keep
        self.on_approval = on_approval
        self.on_promote = on_promote

    def execute(self, context: Context) -> str:
        decision = context["ti"].xcom_pull(task_ids="evaluate_challenger")["decision"]
        promotion = self.requested(context).config.retraining.promotion
        chosen = self.on_keep
        if decision == "promote" and promotion == "auto":
            chosen = self.on_promote
        elif decision == "promote" and promotion == "approval":
            chosen = self.on_approval
        self.log.info("Gate says %s and promotion is %s", decision, promotion)
        self.do_branch(context, chosen)
        return chosen


class ApprovePromotionOperator(ApprovalOperator):
    """Asks a person, with the comparison of champion and challenger as the question's body.

    Without an answer within `retraining.approval_hours` `retraining.on_no_answer` holds.

    :param monitor: the validated monitor file.
    :param request: the request's key, derived from the run id.
    """

    template_fields: Sequence[str] = ("request",)
    operator_extra_links = (MonitorPageLink(),)

    def __init__(self, *, monitor: MonitorConfig, request: str = "{{ run_key(run_id) }}", **kwargs: Any) -> None:
        settings = monitor.retraining
        super().__init__(
            **{
                "subject": f"Promote a new model for {monitor.name}?",
                "defaults": self.APPROVE if settings.on_no_answer == "approve" else self.REJECT,
                "response_timeout": timedelta(hours=settings.approval_hours),
                "retry_policy": RETRY_POLICY,
                "doc_md": task_doc(kwargs["task_id"]),
                **kwargs,
            }
        )
        self.monitor = monitor
        self.request = request

    def execute(self, context: Context) -> Any:
        from driftwatch.view.comparison import comparison

        store, settings = MonitorStore(storage_of(self.monitor), self.monitor), self.monitor.retraining
        answer = "it becomes the champion" if settings.on_no_answer == "approve" else "the champion stays"
        self.body = (
            comparison(store, self.request, self._links(context, store.keys))
            + f"\n\nWithout an answer within {settings.approval_hours:g} hours {answer}."
        )
        return super().execute(context)

    def _links(self, context: Context, layout: Any) -> Any:
        """Where the reader's browser gets an image: as annotators do. None where no image server is set up."""
        from driftwatch.errors import NeedsAttention
        from driftwatch.labels.links import ImageLinks
        from driftwatch_airflow.operators.annotation import image_server, link_signer

        now = context["ti"].start_date
        folder = layout.retraining(self.request, "shown")
        until = now + timedelta(hours=min(self.monitor.retraining.approval_hours, 7 * 24 - 1))
        try:
            server, signer = image_server(self.monitor), link_signer(self.monitor)
            links = ImageLinks(storage_of(self.monitor), folder, now, until, server, signer)
            links.check()
        except NeedsAttention as error:
            self.log.warning("The comparison names its example images by id alone: %s", error)
            return None
        return links.link


class PromoteModelOperator(RetrainingOperator):
    """Builds the challenger's drift reference, then moves the champion pointer in one step.

    Refused if another model became champion in the meantime.
    """

    def execute(self, context: Context) -> str:
        from driftwatch.drift.handover import promote_challenger
        from driftwatch.models.gate import GATE

        run_id = context["run_id"]
        pointer = promote_challenger(self.store, self.request, promoted_by=run_id)
        tell_followers(context, self.outlets, **_champion(self, pointer))
        facts = {
            "version": pointer["version"],
            "previous": pointer["previous"],
            "run_id": run_id,
            "gate": self.storage.read_json(self.layout.retraining(self.request, GATE)),
        }
        send_alert(context, self.monitor, "model_promoted", facts)
        return pointer["version"]


class RollBackOperator(RetrainingOperator):
    """Makes the version that the form names, or the champion before this one, the champion again, in one step.

    Its model and reference were kept, so earlier predictions come back byte for byte.
    """

    def execute(self, context: Context) -> str:
        from driftwatch.models.rollback import rollback

        target, run_id = rollback_target(context["params"]["rollback"]), context["run_id"]
        pointer = rollback(self.store, target, promoted_by=run_id)
        tell_followers(context, self.outlets, **_champion(self, pointer))
        facts = {"version": pointer["version"], "previous": pointer["previous"], "run_id": run_id}
        send_alert(context, self.monitor, "model_rolled_back", facts)
        return pointer["version"]


class RefreshReferenceOperator(RetrainingOperator):
    """Gives the monitor's sinks the reference profile of the new champion, with which they compare the next days, and points
    WhyLabs' drift monitor at it."""

    def execute(self, context: Context) -> str:
        from driftwatch.models.registry import champion_version
        from driftwatch.publish.references import publish_reference

        version = champion_version(self.store)
        for sink in sinks_of(self.store):
            publish_reference(self.store, sink, version)
        keep_whylabs_monitors(self)
        url = self.storage.url(self.layout.reference_features(version))
        tell_followers(context, self.outlets, version=version, url=url)
        return version


def _champion(operator: RetrainingOperator, pointer: dict[str, Any]) -> dict[str, Any]:
    """What followers of the champion are told."""
    said = {name: pointer[name] for name in ("version", "previous", "promoted_by")}
    return {**said, "url": operator.storage.url(operator.layout.model_card(pointer["version"]))}


def rollback_target(asked: str) -> str | None:
    """The version that the form's `rollback` names; none for the champion before this one."""
    return None if asked == PREVIOUS else asked
