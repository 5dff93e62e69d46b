"""Showing the versions in an MLflow registry, as a step of its own: what it cannot do is seen and tried again, and decides nothing else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from driftwatch_airflow.monitor import MonitorOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class TellMlflowOperator(MonitorOperator):
    """Brings the MLflow registry of `registry.mlflow` up to Driftwatch's own: versions, metrics, cards, files, aliases. Says where somebody
    moved the alias champion there. Nothing of a dry run is shown."""

    ui_color = "#fde9e7"

    def __init__(self, **kwargs: Any) -> None:
        # That MLflow is down is no failure of a day or a retraining.
        super().__init__(**{"on_failure_callback": None, **kwargs})

    def execute(self, context: Context) -> list[str]:
        from driftwatch.models.mlflow.mirror import show_versions
        from driftwatch.view.mlflow import mlflow_notes

        if context["params"].get("dry_run"):
            return []
        notes = mlflow_notes(show_versions(self.store), self.monitor)
        for note in notes:
            self.log.log(logging.WARNING if note.wrong else logging.INFO, note.text)
        return [note.text for note in notes]
