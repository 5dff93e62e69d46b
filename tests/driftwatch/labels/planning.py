"""Days that are planned, and days of the month beside them."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pandas as pd

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.labels.plan import plan_labelling

from ..artifacts import samples

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 6, tzinfo=timezone.utc)


def write_manifest(storage, layout, day, images, order=1):
    rows = [(f"in/{number}.jpg", f"id{number:03d}", "accepted") for number in range(images)]
    rows += [("in/copy.jpg", "id000", "duplicate"), ("in/bad.jpg", "bad", "quarantined")]
    storage.write_table(layout.day(day).manifest, pd.DataFrame(rows[::order], columns=["key", "image_id", "status"]))


def of_day(storage, monitor, day=DAY) -> DayStore:
    return MonitorStore(storage, monitor).day(day)


def plan(storage, monitor, day=DAY) -> AnnotationPlan:
    return plan_labelling(of_day(storage, monitor, day), NOW)


def changed(monitor, **annotation):
    return monitor.model_copy(update={"labels": monitor.labels.model_copy(update=annotation)})


def planned_to_cost(storage, monitor, day, usd):
    """Another day of the month, whose pool is open."""
    open_pool = {**samples.PLAN, "state": "opened", "cost": {**samples.PLAN["cost"], "total": usd}}
    storage.write_json(MonitorKeys(monitor.name).day(day).annotation, open_pool)
