"""What the pages ask Airflow's database: the next run, the runs of a day, and the links that their tasks stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import ColumnElement, func, select

from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.nested_keys import run_key
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.paths import run_path
from driftwatch_airflow.run_days import RunDay, day_of_run
from driftwatch_airflow.task_docs import TELLING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

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


def next_runs(session: Session, dag_ids: Collection[str]) -> dict[str, NextRun]:
    """When each of the DAGs runs next."""
    query = select(DagModel.dag_id, DagModel.next_dagrun_create_after, DagModel.is_paused)
    known = {row.dag_id: row for row in session.execute(query.where(DagModel.dag_id.in_(dag_ids)))}
    return {
        dag_id: NextRun(known[dag_id].next_dagrun_create_after, bool(known[dag_id].is_paused), True)
        if dag_id in known
        else NextRun(None, False, False)
        for dag_id in dag_ids
    }


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
    return failures_of_each(session, [config])[config.name]


def failures_of_each(
    session: Session, configs: Sequence[MonitorConfig], since: date | None = None
) -> dict[str, dict[date, list[Failure]]]:
    """`failures` of each monitor by its name. `since`: of runs that were due before it, none of whose days is this one or a later one, nothing is
    asked."""
    by_dag = {config.monitoring_dag_id: config for config in configs}
    wanted: list[ColumnElement[bool]] = [DagRun.dag_id.in_(by_dag)]
    if since is not None:
        wanted.append(DagRun.run_after >= datetime.combine(since, time.min, timezone.utc))
    # Clearing a run queues it anew.
    started = func.coalesce(DagRun.queued_at, DagRun.created_at, DagRun.run_after)
    runs = select(DagRun.dag_id, DagRun.run_id, DagRun.conf, DagRun.run_type, DagRun.run_after, DagRun.logical_date)
    newest: dict[str, dict[date, str]] = {dag_id: {} for dag_id in by_dag}
    for run in session.execute(runs.where(*wanted).order_by(started, DagRun.id)):
        day = None if (run.conf or {}).get("dry_run") else _day(run, by_dag[run.dag_id])
        if day is not None:
            newest[run.dag_id][day] = run.run_id
    failed: dict[tuple[str, str], list[Failure]] = {}
    tasks = select(TaskInstance.dag_id, TaskInstance.run_id, TaskInstance.task_id).join(
        DagRun, (DagRun.dag_id == TaskInstance.dag_id) & (DagRun.run_id == TaskInstance.run_id)
    )
    for task in session.execute(tasks.where(*wanted, TaskInstance.state == "failed").order_by(TaskInstance.end_date)):
        if not task.task_id.startswith(TELLING):
            failure = Failure(task=task.task_id, reason="see the task's log in Airflow", run_id=task.run_id)
            failed.setdefault((task.dag_id, task.run_id), []).append(failure)
    return {
        config.name: {day: failed.get((dag_id, run_id), []) for day, run_id in newest[dag_id].items()}
        for dag_id, config in by_dag.items()
    }


def _is_of(run: Any, config: MonitorConfig, day: date) -> bool:
    return _day(run, config) == day


def _day(run: Any, config: MonitorConfig) -> date | None:
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
