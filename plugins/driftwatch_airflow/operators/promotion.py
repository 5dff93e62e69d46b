"""After the comparison: keep the champion, ask a person, promote the challenger, or roll back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.bases.branch import BranchMixIn
from airflow.sdk.timezone import utcnow

from driftwatch_airflow.alerts import send_alert
from driftwatch_airflow.assets import tell_followers
from driftwatch_airflow.buttons import MonitorPageLink
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.image_links import image_server, link_signer
from driftwatch_airflow.monitor import RETRY_POLICY
from driftwatch_airflow.operators.retraining import RetrainingOperator, version_asked_for
from driftwatch_airflow.sinks import keep_whylabs_monitors, open_sinks
from driftwatch_airflow.stores import store_of
from driftwatch_airflow.task_docs import task_doc

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.models import ChampionPointer
    from driftwatch.config import MonitorConfig
    from driftwatch.lineage.datasets import Lineage


class GateOperator(RetrainingOperator, BranchMixIn):
    """Follows the decision of the gate (the test that a challenger must pass) and the promotion setting: keep the champion, ask a person,
    or promote the challenger."""

    ui_color = "#f9f3e3"
    inherits_from_skipmixin = True  # so a branch that was not taken stays skipped where its task is cleared alone

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
        log_decision(
            self.log,
            "gate_followed",
            f"Gate says {decision} and promotion is {promotion}",
            monitor=self.monitor.name,
            request=self.request,
            decision=decision,
            promotion=promotion,
            next_task=chosen,
        )
        self.renew_reports()
        self.do_branch(context, chosen)
        return chosen

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.gated(self.store, self.request)


class ApprovePromotionOperator(ApprovalOperator):
    """Asks a person, with the comparison of champion and challenger as the question's body.

    If nobody answers within `retraining.approval_hours`, `retraining.on_no_answer` decides.

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

        settings = self.monitor.retraining
        store = store_of(self.monitor)
        answer = "it becomes the champion" if settings.on_no_answer == "approve" else "the champion stays"
        self.body = (
            comparison(store, self.request, self._image_link(context))
            + f"\n\nWithout an answer within {settings.approval_hours:g} hours, {answer}."
        )
        return super().execute(context)

    def _image_link(self, context: Context) -> Callable[[str, str], str] | None:
        """How the reader's browser gets an image: by links like those of annotators. None if no image server is set up."""
        from driftwatch.errors import NeedsAttention
        from driftwatch.images.covered import Covers
        from driftwatch.labels.links import ImageLinks

        store = store_of(self.monitor)
        now = context["ti"].start_date
        until = now + timedelta(hours=min(self.monitor.retraining.approval_hours, 7 * 24 - 1))
        try:
            server, signer = image_server(self.monitor), link_signer(self.monitor)
            folder = store.keys.of_retraining(self.request).shown
            links = ImageLinks(store.storage, folder, now, until, server, signer, Covers.of(store), store.elsewhere)
            links.check()
        except NeedsAttention as error:
            self.log.warning("The comparison shows only the ids of its example images: %s", error)
            return None
        return links.link


class PromoteModelOperator(RetrainingOperator):
    """Builds the challenger's drift reference, then makes it the champion in one step. Then the days that it was retrained for are accepted
    as usual, or the message asks whether they shall be (`reference.accept_after_promotion`).

    Refused if another model became champion since the training.
    """

    def execute(self, context: Context) -> str:
        from driftwatch.artifacts.alerts import ModelPromoted
        from driftwatch.artifacts.keys import GATE
        from driftwatch.artifacts.retraining import GateResult
        from driftwatch.drift.handover import promote_challenger
        from driftwatch.drift.retrained_days import settle_retrained_days

        run_id = context["run_id"]
        pointer = promote_challenger(self.store, self.request, promoted_by=run_id)
        _log_champion(self, "champion_promoted", f"{pointer.version} is the champion", pointer)
        tell_followers(context, self.outlets, **_champion(self, pointer))
        gate = self.store.read(self.monitor_keys.retraining(self.request, GATE), GateResult)
        settled = settle_retrained_days(self.store, self.request, by=run_id, at=utcnow())
        state = settled.state.name if settled.state else None
        facts = ModelPromoted(run_id, pointer.version, gate, retrained_days=settled.days, accepted=state)
        send_alert(context, self.monitor, facts)
        self.renew_reports()
        return pointer.version

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.promoted(self.store, self.request)


class RollBackOperator(RetrainingOperator):
    """Makes an earlier version the champion again, in one step: the one that the form names, or the champion before this one.

    Its model and reference were kept, so its predictions are the same as before, byte for byte.
    """

    def execute(self, context: Context) -> str:
        from driftwatch.artifacts.alerts import ModelRolledBack
        from driftwatch.drift.accepted import prepare_states
        from driftwatch.models.rollback import rollback

        target, run_id = version_asked_for(context["params"]["rollback"]), context["run_id"]
        pointer = rollback(self.store, target, promoted_by=run_id)
        _log_champion(self, "champion_rolled_back", f"{pointer.version} is the champion again", pointer)
        prepare_states(self.store, pointer.version)
        tell_followers(context, self.outlets, **_champion(self, pointer))
        facts = ModelRolledBack(run_id=run_id, version=pointer.version, previous=pointer.previous)
        send_alert(context, self.monitor, facts)
        return pointer.version

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.rolled_back(self.store)


class RefreshReferenceOperator(RetrainingOperator):
    """Gives the monitor's sinks the reference profile of the new champion. The sinks compare the next days with it, and so does WhyLabs'
    drift monitor from now on."""

    def execute(self, context: Context) -> str:
        from driftwatch.models.registry import champion_version
        from driftwatch.publish.references import publish_reference

        version = champion_version(self.store)
        for sink in open_sinks(self.monitor):
            publish_reference(self.store, sink, version)
        keep_whylabs_monitors(self.monitor)
        url = self.storage.url(self.monitor_keys.reference_features(version))
        tell_followers(context, self.outlets, version=version, url=url)
        return version

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.reference_renewed(self.store)


def _log_champion(operator: RetrainingOperator, event: str, sentence: str, pointer: ChampionPointer) -> None:
    log_decision(
        operator.log,
        event,
        f"{sentence}, after {pointer.previous}",
        monitor=operator.monitor.name,
        request=operator.request,
        version=pointer.version,
        previous=pointer.previous,
        promoted_by=pointer.promoted_by,
    )


def _champion(operator: RetrainingOperator, pointer: ChampionPointer) -> dict[str, str | None]:
    """What the event of the champion's asset says."""
    said = {"version": pointer.version, "previous": pointer.previous, "promoted_by": pointer.promoted_by}
    return {**said, "url": operator.storage.url(operator.monitor_keys.model_card(pointer.version))}
