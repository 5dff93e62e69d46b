"""What the pages make of Airflow's runs of a day, on a database in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.models import import_all_models
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from sqlalchemy.orm import Session

from driftwatch.config.loader import load_monitor
from driftwatch_airflow.ui.airflow_state import NextRun, failures, failures_of_each, next_runs

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)


@pytest.fixture
def session() -> Iterator[Session]:
    import_all_models()  # their tables refer to each other
    engine = sa.create_engine("sqlite://")
    for table in (DagRun.__table__, TaskInstance.__table__, DagModel.__table__):
        table.create(engine)
    with engine.connect() as connection:
        yield Session(connection)


@pytest.fixture
def monitor(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    return load_monitor(root / "include/monitors/cats_vs_dogs.yaml")


def add(session: Session, monitor: Any, run_id: str, hours: float, failed: list[str], **conf: Any) -> None:
    """A run of DAY that was queued `hours` after NOW."""
    due = conf.pop("due", NOW)
    run = {
        "dag_id": monitor.monitoring_dag_id,
        "run_id": run_id,
        "run_type": "manual",
        "state": "failed" if failed else "success",
        "queued_at": NOW + timedelta(hours=hours),
        "run_after": due,
        "conf": {"day": DAY.isoformat(), **conf},
        "span_status": "not_started",
        "clear_number": 0,
        "triggered_by": None,
        "log_template_id": 1,
    }
    session.execute(sa.insert(DagRun.__table__).values(**run))
    for number, task in enumerate(failed):
        session.execute(
            sa.insert(TaskInstance.__table__).values(
                dag_id=monitor.monitoring_dag_id,
                run_id=run_id,
                task_id=task,
                state="failed",
                end_date=NOW + timedelta(minutes=number),
                pool="default_pool",
                pool_slots=1,
            )
        )


def test_a_day_is_as_the_run_left_it_that_was_taken_up_last(session: Session, monitor: Any) -> None:
    add(session, monitor, "first", 2, [])  # failed, and was cleared after the second had failed
    add(session, monitor, "second", 1, ["predict_labels"])
    assert failures(session, monitor) == {DAY: []}
    add(session, monitor, "third", 3, ["tell_drift", "ingest_images", "merge_shards"])
    add(session, monitor, "dry", 4, ["predict_labels"], dry_run=True)
    (found,) = failures(session, monitor).values()
    assert [(failure.run_id, failure.task) for failure in found] == [
        ("third", "ingest_images"),
        ("third", "merge_shards"),
    ]


def test_of_many_monitors_nothing_is_asked_for_each(session: Session, monitor: Any) -> None:
    others = [monitor.model_copy(update={"name": f"other_{number}"}) for number in range(5)]
    earlier = DAY - timedelta(days=40)
    for number, config in enumerate(others):
        add(session, config, f"lately_{number}", 1, ["predict_labels"])
        add(session, config, f"long_ago_{number}", 0, ["ingest_images"], day=str(earlier), due=NOW - timedelta(days=40))
    values = {"is_paused": False, "next_dagrun_create_after": NOW, "bundle_name": "dags", "fileloc": "x"}
    for config in others[1:]:
        session.execute(
            sa.insert(DagModel.__table__).values(dag_id=config.monitoring_dag_id, **_needed(DagModel.__table__, values))
        )
    asked: list[str] = []
    sa.event.listen(session.get_bind(), "before_cursor_execute", lambda *call: asked.append(call[2]))
    found = failures_of_each(session, others, DAY - timedelta(days=10))
    runs = next_runs(session, [config.monitoring_dag_id for config in others])
    assert len(asked) == 3
    assert {name: [failure.run_id for of in days.values() for failure in of] for name, days in found.items()} == {
        config.name: [f"lately_{number}"] for number, config in enumerate(others)
    }
    assert [*runs.values()] == [NextRun(None, False, False)] + [NextRun(NOW, False, True)] * 4
    assert set(failures_of_each(session, others)["other_0"]) == {DAY, earlier}
    assert failures(session, others[0]) == failures_of_each(session, others)["other_0"]


def _needed(table: sa.Table, values: dict[str, Any]) -> dict[str, Any]:
    """`values`, and something for each other column that must have a value."""
    empty = {
        column.name: False if isinstance(column.type, sa.Boolean) else 1 if isinstance(column.type, sa.Integer) else "x"
        for column in table.columns
        if not column.nullable and column.default is None and column.server_default is None and column.name != "dag_id"
    }
    return {**empty, **values}
