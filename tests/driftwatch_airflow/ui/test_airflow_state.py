"""What the pages make of Airflow's runs of a day, on a database in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.models import import_all_models
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from sqlalchemy.orm import Session

from driftwatch.config.loader import load_monitor
from driftwatch_airflow.ui.airflow_state import failures

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 22, 8, tzinfo=timezone.utc)


@pytest.fixture
def session() -> Iterator[Session]:
    import_all_models()  # their tables refer to each other
    engine = sa.create_engine("sqlite://")
    for table in (DagRun.__table__, TaskInstance.__table__):
        table.create(engine)
    with engine.connect() as connection:
        yield Session(connection)


@pytest.fixture
def monitor(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    return load_monitor(root / "include/monitors/cats_vs_dogs.yaml")


def add(session: Session, monitor: Any, run_id: str, hours: float, failed: list[str], **conf: Any) -> None:
    """A run of DAY that was queued `hours` after NOW."""
    run = {
        "dag_id": monitor.monitoring_dag_id,
        "run_id": run_id,
        "run_type": "manual",
        "state": "failed" if failed else "success",
        "queued_at": NOW + timedelta(hours=hours),
        "run_after": NOW,
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
