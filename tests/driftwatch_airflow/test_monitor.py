"""The day of a run, and the template that carries it into each task."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import TaskDeferred

from driftwatch.errors import NeedsAttention
from driftwatch.monitor_files import load_monitor
from driftwatch_airflow.monitor import DayOperator, run_day
from driftwatch_airflow.operators.features import IngestImagesOperator

RUN_AFTER = datetime(2026, 11, 21, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("logical_date", "day", "expected"),
    [
        (datetime(2026, 11, 20, tzinfo=timezone.utc), None, "2026-11-20"),
        (None, None, "2026-11-20"),
        (datetime(2026, 11, 20, tzinfo=timezone.utc), "2026-11-03", "2026-11-03"),
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


def test_a_scheduled_run_waits_for_late_deliveries_and_other_runs_do_not(root: Path, tmp_path, monkeypatch):
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    today = datetime.now(timezone.utc).date()
    operator = IngestImagesOperator(task_id="ingest", monitor=monitor, day=today.isoformat())
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute({"dag_run": SimpleNamespace(run_type="scheduled")})
    end = datetime.combine(today, time.min, timezone.utc) + timedelta(days=1, hours=6)
    assert deferred.value.trigger.moment == end
    assert deferred.value.method_name == "take_in"
    with pytest.raises(NeedsAttention, match="register a first model"):
        operator.execute({"dag_run": SimpleNamespace(run_type="manual")})
