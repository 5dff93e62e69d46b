"""A task that waits for WhyLabs' analysis, and what its trigger fires."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

NOW = datetime.now(timezone.utc)


def context(run_type: str = "scheduled", **params: Any) -> dict[str, Any]:
    ti = SimpleNamespace(start_date=NOW, xcom_push=lambda key, value: None)
    return {"params": params, "dag_run": SimpleNamespace(run_type=run_type), "ti": ti}


def event_of(deferred: TaskDeferred, **changes: Any) -> dict[str, Any]:
    """What the trigger fires, made anew from its serialized form as the triggerer does."""
    _, fields = deferred.trigger.serialize()
    return asyncio.run(anext(type(deferred.trigger)(**{**fields, **changes}).run())).payload


def deferred(analysed: Any, source: str = "whylabs", **publish: Any) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as raised:
        analysed.operator(source, **publish).execute(context())
    assert raised.value.method_name == "resume"
    return raised.value
