"""Steps that tell people. If a message cannot be told, its step alone fails and is tried again. No other step depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule

from driftwatch_airflow import failures
from driftwatch_airflow.alerts import outbox_of, tell
from driftwatch_airflow.monitor import DayOperator, MonitorOperator
from driftwatch_airflow.reports import renew_report

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.config import AlertKind

_WITHOUT_CALLBACK: dict[str, None] = {
    "on_failure_callback": None
}  # a message that could not be told is no failure of the day


class TellOperator(DayOperator):
    """Tells the day's alerts of some kinds to the notifiers of the monitor file, each once, also if earlier steps failed.

    :param kinds: the kinds of alerts.
    """

    ui_color = "#fde9e7"

    def __init__(self, *, kinds: Sequence[AlertKind], **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": TriggerRule.ALL_DONE, **_WITHOUT_CALLBACK, **kwargs})
        self.kinds = kinds

    def execute(self, context: Context) -> list[str]:
        return tell(context, self.monitor, outbox_of(self.monitor, day=self.day), self.kinds)


class TellFailureOperator(TellOperator):
    """Tells that the day failed, as soon as one of its tasks has failed for good. If that task could not write why, writes what is known."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"kinds": ("day_failed",), "trigger_rule": TriggerRule.ONE_FAILED, **kwargs})

    def execute(self, context: Context) -> list[str]:
        from driftwatch.artifacts.failure import Failure
        from driftwatch.errors import DamagedArtifact

        failed = [] if context["params"].get("dry_run") else failures.failed_tasks(context)

        def known() -> bool:
            try:
                kept = self.of_day.find(Failure)
            except DamagedArtifact:
                return False
            return kept is not None and kept.run_id == context["run_id"] and kept.task in failed

        if failed and not failures.wait_for_reason(known):
            failures.note_day(context, self.monitor, failed[0], failures.NO_REASON)
        return super().execute(context)


class EndDayOperator(DayOperator):
    """Ends the day well. If it had failed before, takes the note of the failure away, from the report too. While a task of this run beside
    it has failed, the note stays. Then it renews what the overview shows of the day's month."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": TriggerRule.NONE_FAILED, **kwargs})

    def execute(self, context: Context) -> None:
        from driftwatch.artifacts.alerts import DayFailed
        from driftwatch.view.summaries import write_summaries

        if context["params"].get("dry_run"):
            return
        if self.storage.exists(self.keys.failure):
            if failed := failures.failed_tasks(context):
                self.log.warning("The day stays noted as failed: %s failed", ", ".join(failed))
                return
            outbox_of(self.monitor, day=self.day).withdraw(DayFailed.source)
            self.storage.delete(self.keys.failure)
            renew_report(self.of_day)
        write_summaries(self.store, self.date)


class TellRetrainingOperator(MonitorOperator):
    """Tells what became of a retraining: promoted, rolled back, handed over, or failed."""

    ui_color = "#fde9e7"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": TriggerRule.ALL_DONE, **_WITHOUT_CALLBACK, **kwargs})

    def execute(self, context: Context) -> list[str]:
        from driftwatch.artifacts.alerts import ModelPromoted, ModelRolledBack, RetrainingFailed, TrainingSetHandedOver
        from driftwatch.publish.outbox import alert_id

        outbox = outbox_of(self.monitor, run_id=context["run_id"])
        failed = failures.failed_tasks(context)
        if not failed:
            outbox.withdraw(RetrainingFailed.source)  # of an earlier attempt; the run was repeated and ended well
        # Neither the reason nor the champion is part of the id.
        expected = {
            alert_id(self.monitor.name, RetrainingFailed(context["run_id"], task, reason="", champion=None))
            for task in failed
        }

        def known() -> bool:
            return any(alert.id in expected for alert in outbox.alerts())

        if failed and not failures.wait_for_reason(known):
            failures.note_retraining(context, self.monitor, failed[0], failures.NO_REASON)
        kinds = (RetrainingFailed.kind, TrainingSetHandedOver.kind, ModelPromoted.kind, ModelRolledBack.kind)
        return tell(context, self.monitor, outbox, kinds)


class TellModelsOperator(MonitorOperator):
    """Tells the alerts about the models to the notifiers of the monitor file, each once, whichever run found them."""

    ui_color = "#fde9e7"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trigger_rule": TriggerRule.ALL_DONE, **_WITHOUT_CALLBACK, **kwargs})

    def execute(self, context: Context) -> list[str]:
        from driftwatch.artifacts.models_alerts import MlflowAliasMoved

        return tell(context, self.monitor, outbox_of(self.monitor), (MlflowAliasMoved.kind,))
