"""The day of a run, and the template that carries it into each task."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from driftwatch.config import load_monitor
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.monitor import DayOperator, run_day

RUN_AFTER = datetime(2026, 11, 21, 6, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("logical_date", "day", "expected"),
    [
        (datetime(2026, 11, 20, 6, tzinfo=timezone.utc), None, "2026-11-20"),
        (None, None, "2026-11-20"),
        (datetime(2026, 11, 20, 6, tzinfo=timezone.utc), "2026-11-03", "2026-11-03"),
        (None, "2026-11-03", "2026-11-03"),
    ],
    ids=["scheduled or backfilled", "manual", "a given day wins", "manual with a day"],
)
def test_one_function_decides_the_day(logical_date, day, expected):
    dag_run = SimpleNamespace(logical_date=logical_date, run_after=RUN_AFTER)
    assert run_day(dag_run, {"day": day}) == expected


def test_a_wrong_day_is_refused():
    with pytest.raises(NeedsAttention, match=r"2026-13-01.*YYYY-MM-DD"):
        run_day(SimpleNamespace(logical_date=None, run_after=RUN_AFTER), {"day": "2026-13-01"})


def test_the_day_is_rendered_into_every_day_operator(root: Path):
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    operator = DayOperator(task_id="step", monitor=monitor)
    dag_run = SimpleNamespace(logical_date=None, run_after=RUN_AFTER)
    operator.render_template_fields({"run_day": run_day, "dag_run": dag_run, "params": {}})
    assert operator.day == "2026-11-20"
    assert operator.keys.manifest == "cats_vs_dogs/days/2026-11-20/manifest.parquet"
