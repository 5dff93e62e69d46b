"""The day of a run, and the template that carries it into each task."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from driftwatch.config.loader import load_monitor
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.run_days import run_day

RUN_AFTER = datetime(2026, 11, 21, 9, tzinfo=timezone.utc)


def test_the_day_is_rendered_into_every_day_operator(root: Path):
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    operator = DayOperator(task_id="step", monitor=monitor)
    dag_run = SimpleNamespace(logical_date=None, run_after=RUN_AFTER, run_type="manual")
    macro = partial(run_day, schedule=monitor.schedule)
    operator.render_template_fields({"run_day": macro, "dag_run": dag_run, "params": {}})
    assert operator.day == "2026-11-20"
    assert operator.keys.manifest == "cats_vs_dogs/days/2026-11-20/manifest.parquet"


def test_a_task_that_failed_for_good_says_how_to_go_on_and_keeps_the_dags_own_callbacks(root: Path, caplog):
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    told: list[str] = []
    operator = DayOperator(
        task_id="step", monitor=monitor, on_failure_callback=lambda context: told.append("the DAG's")
    )
    with caplog.at_level("ERROR", "driftwatch_airflow.monitor"):
        for callback in operator.on_failure_callback:
            callback({"ti": SimpleNamespace(task_id="step", try_number=8)})
    assert told == ["the DAG's"]
    assert "step failed for good, in try 8" in caplog.text
    assert "clear this task and the tasks after it" in caplog.text
