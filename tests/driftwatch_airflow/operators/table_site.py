"""A day whose labels come from a table, a clock, and what was told: the fixture `site` gives one."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred
from tests.driftwatch.labels.table_days import DAY, by_table, files_of, put_csv, rows_of

from driftwatch.artifacts.accuracy import Performance

MORNING = datetime(2026, 1, 6, 6, tzinfo=timezone.utc)
END = datetime(2026, 2, 5, tzinfo=timezone.utc)


class Clock:
    now = MORNING

    def __call__(self) -> datetime:
        return self.now


class Site:
    """The day, the table, a clock, and what was told."""

    def __init__(self, day: Any, clock: Clock) -> None:
        self.day, self.clock, self.told = day, clock, []

    def put(self, labels: int, first: int = 0) -> None:
        put_csv(self.day, "a.csv", rows_of(files_of(self.day)[first:labels]))

    def task(self, kind: Any, **table: Any) -> Any:
        config = by_table(self.day.config.storage.uri, **table)
        return kind(task_id=kind.__name__, monitor=config, day=str(DAY))

    @property
    def performance(self) -> Performance:
        return self.day.read(Performance)


def context(**params: Any) -> dict[str, Any]:
    return {"params": params, "ti": SimpleNamespace(xcom_push=lambda key, value: None), "outlet_events": {}}


def deferral(run: Any, *arguments: Any) -> datetime:
    """Until when the task defers."""
    with pytest.raises(TaskDeferred) as raised:
        run(*arguments)
    assert raised.value.method_name == "look"
    kind, fields = raised.value.trigger.serialize()
    assert kind.endswith("DateTimeTrigger")
    moment: datetime = fields["moment"]
    return moment
