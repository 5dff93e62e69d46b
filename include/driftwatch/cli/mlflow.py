"""What a command says of MLflow after it has changed the registry."""

from __future__ import annotations

import sys

from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import DriftwatchError
from driftwatch.view.mlflow import mlflow_notes


def tell_mlflow(monitor: MonitorStore) -> None:
    """Brings MLflow up to the registry, where registry.mlflow names one. A failure is said, and does not undo what the command did."""
    from driftwatch.models.mlflow.mirror import show_versions

    if monitor.config.registry.mlflow is None:
        return
    try:
        record = show_versions(monitor)
    except DriftwatchError as error:
        print(
            f"driftwatch: done, but MLflow does not show it yet: {error}. The next call catches up: the daily run, or `driftwatch models "
            f"{monitor.keys.monitor}.yaml mlflow`",
            file=sys.stderr,
        )
        return
    for note in mlflow_notes(record, monitor.config):
        print(note.text, file=sys.stderr if note.wrong else sys.stdout)
