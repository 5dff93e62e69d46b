"""Runs a task that defers as Airflow does: its trigger is made anew of its stored form, and the task goes on with what that fires."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import patch

from airflow.sdk.exceptions import TaskDeferred


def no_rest() -> Any:
    """Without a scheduler no trigger fires too soon."""
    return patch("driftwatch_airflow.triggers.patience.rest_seconds", lambda: 0.0)


def run_task(operator: Any, context: Any) -> Any:
    """What the task returns in the end."""
    try:
        return operator.execute(context)
    except TaskDeferred as deferred:
        _, stored = deferred.trigger.serialize()
        with no_rest():
            fired = asyncio.run(anext(type(deferred.trigger)(**stored).run())).payload
        return getattr(operator, deferred.method_name)(context, event=fired, **(deferred.kwargs or {}))
