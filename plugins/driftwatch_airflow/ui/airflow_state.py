"""What the pages ask Airflow's database: the next run, the runs of a day, and the links that their tasks stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import func, select

from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.nested_keys import run_key
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.paths import run_path
from driftwatch_airflow.run_days import RunDay, day_of_run
from driftwatch_airflow.task_docs import TELLING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from driftwatch.config import MonitorConfig

_LATEST = 200


@dataclass(frozen=True)
class NextRun:
    """When the DAG runs next. `moment` is None if nothing is scheduled. `known`: whether Airflow has read the DAG."""

    moment: datetime | None
    paused: bool
    known: bool


@dataclass(frozen=True)
class Run:
    """A run of a DAG; `url`: its page in Airflow, without the host."""

    run_id: str
    state: str
    type: str
    url: str


@dataclass(frozen=True)
class DayInAirflow:
    """What Airflow knows of a day: its `runs`, newest first; the `links` that their tasks stored; and its `failure`. `about`: if the reader
    comes from a run, the day of that run, and why."""

    runs: list[Run]
    links: dict[str, str]
    failure: Failure | None
    about: RunDay | None


def next_run(session: Session, dag_id: str) -> NextRun:
    dag = session.scalar(select(DagModel).where(DagModel.dag_id == dag_id))
    if dag is None:
        return NextRun(None, False, False)
    return NextRun(dag.next_dagrun_create_after, bool(dag.is_paused), True)


def day_of_run_id(session: Session, config: MonitorConfig, run_id: str) -> RunDay | None:
    """The day that a run of the monitoring DAG is about. None if there is no such run. Raises NeedsAttention if the run is about no day."""
    run = session.scalar(select(DagRun).where(DagRun.dag_id == config.monitoring_dag_id, DagRun.run_id == run_id))
    return day_of_run(run, run.conf or {}, config.schedule) if run else None


def runs_of_day(session: Session, config: MonitorConfig, day: date) -> list[Run]:
    """The day's runs, newest first.

    Runs of the schedule are found by their date. The form of other runs can name any day: only the latest of them are looked at.
    """
    dag_id, start = config.monitoring_dag_id, datetime.combine(day, time.min, timezone.utc)
    dated = select(DagRun).where(
        DagRun.dag_id == dag_id,
        DagRun.logical_date >= start,
        DagRun.logical_date < start + timedelta(days=1),
    )
    by_hand = (
        select(DagRun)
        .where(DagRun.dag_id == dag_id, DagRun.run_type.not_in(("scheduled", "backfill")))
        .order_by(DagRun.id.desc())
        .limit(_LATEST)
    )
    found = {run.id: run for query in (dated, by_hand) for run in session.scalars(query)}
    return [
        Run(run.run_id, str(run.state), str(run.run_type), run_path(dag_id, run.run_id))
        for _, run in sorted(found.items(), reverse=True)
        if _is_of(run, config, day)
    ]


def retraining_pages(session: Session, config: MonitorConfig) -> dict[str, str]:
    """The pages of the retraining DAG's runs, without the host, by the folder of their files."""
    dag_id = config.retraining_dag_id
    found = session.scalars(select(DagRun.run_id).where(DagRun.dag_id == dag_id))
    return {run_key(run_id): run_path(dag_id, run_id) for run_id in found}


def failures(session: Session, config: MonitorConfig) -> dict[date, list[Failure]]:
    """The tasks that failed for good, by day, the first one first. Only the newest run of a day counts: the one that was started or cleared
    last. Its list is empty if it still runs or ended well.

    Dry runs do not count, and neither do messages that could not be told. The reasons are in the tasks' logs.
    """
    dag_id = config.monitoring_dag_id
    newest: dict[date, str] = {}
    # Clearing a run queues it anew.
    started = func.coalesce(DagRun.queued_at, DagRun.created_at, DagRun.run_after)
    for run in session.scalars(select(DagRun).where(DagRun.dag_id == dag_id).order_by(started, DagRun.id)):
        day = None if (run.conf or {}).get("dry_run") else _day(run, config)
        if day is not None:
            newest[day] = run.run_id
    failed: dict[str, list[Failure]] = {}
    tasks = select(TaskInstance.run_id, TaskInstance.task_id).where(
        TaskInstance.dag_id == dag_id, TaskInstance.state == "failed"
    )
    for task in session.execute(tasks.order_by(TaskInstance.end_date)):
        if not task.task_id.startswith(TELLING):
            failure = Failure(task=task.task_id, reason="see the task's log in Airflow", run_id=task.run_id)
            failed.setdefault(task.run_id, []).append(failure)
    return {day: failed.get(run_id, []) for day, run_id in newest.items()}


def _is_of(run: DagRun, config: MonitorConfig, day: date) -> bool:
    return _day(run, config) == day


def _day(run: DagRun, config: MonitorConfig) -> date | None:
    try:
        return day_of_run(run, run.conf or {}, config.schedule).day
    except NeedsAttention:
        return None


def stored_links(session: Session, dag_id: str, run_ids: list[str]) -> dict[str, str]:
    """Web addresses that the runs' tasks stored for their buttons, by the name of the link's class. The first run of `run_ids` wins."""
    found: dict[str, str] = {}
    for run_id in run_ids:
        query = select(XComModel).where(
            XComModel.dag_id == dag_id, XComModel.run_id == run_id, XComModel.key.startswith("_link_", autoescape=True)
        )
        for row in session.scalars(query):
            address = XComModel.deserialize_value(row)
            if isinstance(address, str) and address.startswith(("http://", "https://")):
                found.setdefault(row.key.removeprefix("_link_"), address)
    return found
