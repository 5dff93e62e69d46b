"""Runs a task that defers as Airflow does: its trigger is made anew of its stored form, and the task goes on with what that fires."""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.sdk.exceptions import TaskDeferred


def run_task(operator: Any, context: Any) -> Any:
    """What the task returns in the end."""
    try:
        return operator.execute(context)
    except TaskDeferred as deferred:
        _, stored = deferred.trigger.serialize()
        fired = asyncio.run(anext(type(deferred.trigger)(**stored).run())).payload
        return getattr(operator, deferred.method_name)(context, event=fired, **(deferred.kwargs or {}))
