"""Showing the versions in an MLflow registry, as a step of its own: what it cannot do is seen and tried again, and decides nothing else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from driftwatch_airflow.alerts import outbox_of, send_alert
from driftwatch_airflow.monitor import MonitorOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.mlflow import MlflowRecord


class TellMlflowOperator(MonitorOperator):
    """Brings the MLflow registry of `registry.mlflow` up to Driftwatch's own: versions, metrics, cards, files, aliases. Says where somebody
    moved the alias champion there, and puts an alert of each move into the outbox. Nothing of a dry run is shown."""

    ui_color = "#fde9e7"

    def __init__(self, **kwargs: Any) -> None:
        # That MLflow is down is no failure of a day or a retraining.
        super().__init__(**{"on_failure_callback": None, **kwargs})

    def execute(self, context: Context) -> list[str]:
        from driftwatch.models.mlflow.mirror import show_versions
        from driftwatch.view.mlflow import mlflow_notes

        if context["params"].get("dry_run"):
            return []
        record = show_versions(self.store)
        self._tell_move(context, record)
        notes = mlflow_notes(record, self.monitor)
        for note in notes:
            self.log.log(logging.WARNING if note.wrong else logging.INFO, note.text)
        return [note.text for note in notes]

    def _tell_move(self, context: Context, record: MlflowRecord | None) -> None:
        """Puts an alert of a move that is new into the outbox. An alias that stands elsewhere was moved again: the same move is new then."""
        from driftwatch.artifacts.models_alerts import MlflowAliasMoved
        from driftwatch.publish.outbox import alert_id

        outbox = outbox_of(self.monitor)
        if record is None or record.moved is None:
            outbox.withdraw(MlflowAliasMoved.source)
            return
        facts = MlflowAliasMoved(record.model, record.shown[record.moved.found_at], record.moved)
        if alert_id(self.monitor.name, facts) not in {alert.id for alert in outbox.alerts()}:
            outbox.withdraw(facts.source)
            send_alert(context, self.monitor, facts)
