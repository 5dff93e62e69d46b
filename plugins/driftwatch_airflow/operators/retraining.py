"""The retraining DAG's steps: collect, train, compare, and hand over."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.branch import BranchMixIn
from airflow.sdk.exceptions import AirflowSkipException

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.alerts import send_alert
from driftwatch_airflow.monitor import MonitorOperator
from driftwatch_airflow.operators.publish import keep_whylabs_monitors, sinks_of

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


def run_key(run_id: str) -> str:
    """The folder name of a retraining request: one for each run id."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", run_id)


class RetrainingOperator(MonitorOperator):
    """A step of one retraining request.

    :param monitor: the validated monitor file.
    :param request: the request's key, derived from the run id.
    """

    template_fields: Sequence[str] = ("request",)

    def __init__(self, *, request: str = "{{ run_key(run_id) }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.request = request


class CollectTrainingSetOperator(RetrainingOperator):
    """The original training set and the range's human labels, evaluation images kept apart."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.model.dataset import collect_training_set

        first, last = self._range(context)
        summary = collect_training_set(self.storage, self.layout, self.monitor, self.request, first, last)
        self.log.info("Training set of %s to %s: %s", first, last, summary)
        if context["params"].get("dry_run"):
            raise AirflowSkipException(f"dry_run: nothing is trained; the set would be {summary}")
        return summary

    def _range(self, context: Context) -> tuple[date, date]:
        params = context["params"]
        labelled = [
            date.fromisoformat(name)
            for name in self.storage.folders(self.layout.days)
            if self.storage.exists(self.layout.day(date.fromisoformat(name)).labels)
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


class TrainChallengerOperator(RetrainingOperator):
    """Fine-tunes the champion on the set, and registers the challenger; the champion keeps serving."""

    def execute(self, context: Context) -> str:
        from driftwatch.model.challenger import train_challenger

        params = context["params"]
        # Fixed by the request, so that a killed task finds its checkpoints again on the same machine.
        work = Path(tempfile.gettempdir()) / "driftwatch" / self.monitor.name / self.request
        return train_challenger(
            self.storage,
            self.layout,
            self.monitor,
            self.request,
            epochs=params.get("epochs"),
            requested_by=params.get("reason") or f"run {context['run_id']}",
            work_folder=work,
        )


class EvaluateChallengerOperator(RetrainingOperator):
    """Champion and challenger on the same evaluation images."""

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.model.gate import evaluate_challenger

        gate = evaluate_challenger(self.storage, self.layout, self.monitor, self.request)
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
        promotion = context["params"].get("promotion") or self.monitor.retraining.promotion
        chosen = self.on_keep
        if decision == "promote" and promotion == "auto":
            chosen = self.on_promote
        elif decision == "promote" and promotion == "approval":
            chosen = self.on_approval
        self.log.info("Gate says %s and promotion is %s", decision, promotion)
        self.do_branch(context, chosen)
        return chosen


class PromoteModelOperator(RetrainingOperator):
    """Builds the challenger's drift reference, then moves the champion pointer in one step.

    Refused if another model became champion in the meantime.
    """

    def execute(self, context: Context) -> str:
        from driftwatch.model.handover import promote_challenger

        version = promote_challenger(
            self.storage, self.layout, self.monitor, self.request, promoted_by=context["run_id"]
        )["version"]
        send_alert(context, self.monitor, "model_promoted", {"version": version, "run_id": context["run_id"]})
        return version


class RefreshReferenceOperator(RetrainingOperator):
    """Gives the monitor's sinks the reference profile of the promoted version, with which they compare the next days, and
    points WhyLabs' drift monitor at it."""

    def execute(self, context: Context) -> str:
        from driftwatch.publishing.references import publish_reference

        version = context["ti"].xcom_pull(task_ids="evaluate_challenger")["challenger"]
        for sink in sinks_of(self.monitor, self.storage, self.layout):
            publish_reference(self.storage, self.layout, self.monitor, sink, version)
        keep_whylabs_monitors(self)
        return version
