"""The reason that a task leaves behind when it fails for good, that is, when Airflow does not try it again. The pages, the report and
the step that tells people read it.

The failed task's own process writes the reason, after Airflow knows of the failure. If that process was killed, Airflow may call the same
function in another process, or nobody calls it. Then the step that tells people writes what is known.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from driftwatch_airflow.alerts import safe_to_tell, send_alert
from driftwatch_airflow.reports import renew_report
from driftwatch_airflow.run_days import run_day
from driftwatch_airflow.stores import store_of
from driftwatch_airflow.task_docs import TELLING, what_to_do

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.config import MonitorConfig

log = logging.getLogger(__name__)
NO_REASON = (
    "its process ended without a word: it was killed, ran out of memory, lost its worker or could not reach the storage, or somebody marked "
    "it as failed. Look at the last lines of its log"
)
# While the failed task's process still writes its reason, the scheduler may already start the next task.
SECONDS_FOR_REASON = 15.0


def day_failed(monitor: MonitorConfig) -> Callable[[Context], None]:
    """A failure callback of the monitoring DAG's tasks. It notes where and why the day failed, and puts an alert into the outbox."""

    def note(context: Context) -> None:
        if not context["params"].get("dry_run"):
            note_day(context, monitor, context["ti"].task_id, reason_of(context.get("exception")))

    return note


def note_day(context: Context, monitor: MonitorConfig, task: str, reason: str) -> None:
    """Notes in failure.json, the outbox and the report that the run's day failed at `task`."""
    from driftwatch.artifacts.alerts import DayFailed
    from driftwatch.artifacts.failure import Failure
    from driftwatch.errors import NeedsAttention

    dag_run = context["dag_run"]
    try:
        day = run_day(dag_run, context["params"], monitor.schedule)
    except NeedsAttention as error:
        log.error("The run is about no day, so no day has failed: %s", error)
        return
    store = store_of(monitor)
    of_day = store.day(date.fromisoformat(day))
    send_alert(context, monitor, DayFailed(day=of_day.date, task=task, reason=reason, advice=what_to_do(task)))
    # After the alert: whoever finds this file tells that alert.
    of_day.write(Failure(task=task, reason=reason, run_id=dag_run.run_id))
    renew_report(of_day)


def retraining_failed(monitor: MonitorConfig) -> Callable[[Context], None]:
    """A failure callback of the retraining DAG's tasks. It puts an alert into the run's outbox."""

    def note(context: Context) -> None:
        note_retraining(context, monitor, context["ti"].task_id, reason_of(context.get("exception")))

    return note


def note_retraining(context: Context, monitor: MonitorConfig, task: str, reason: str) -> None:
    """Puts an alert into the run's outbox: the run failed at `task`, and this champion goes on serving."""
    from driftwatch.artifacts.alerts import RetrainingFailed
    from driftwatch.models import registry

    champion = registry.champion(store_of(monitor))
    version = champion.version if champion else None
    send_alert(context, monitor, RetrainingFailed(run_id=context["run_id"], task=task, reason=reason, champion=version))


def reason_of(error: BaseException | str | None) -> str:
    """The error in one line, without secrets. For Driftwatch's own errors the message is enough; others have the name of their type too."""
    from driftwatch.errors import DriftwatchError
    from driftwatch.view.words import one_line

    if error is None:
        return NO_REASON
    said = str(error)
    if isinstance(error, BaseException) and not isinstance(error, DriftwatchError):
        said = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return one_line(safe_to_tell(said), 600)


def failed_tasks(context: Context) -> list[str]:
    """The tasks of the run that failed for good, in the order of the graph. Tasks that could not start because of them are left out, and
    so are those that only tell."""
    run_id = context["run_id"]
    dag = context["dag"]
    states: Mapping[str, str] = context["ti"].get_task_states(dag.dag_id, run_ids=[run_id]).get(run_id, {})
    # A mapped task's copies are named <task>_<number>.
    failed = {name for name, state in states.items() if state == "failed"}
    return [
        task.task_id
        for task in dag.topological_sort()
        if not task.task_id.startswith(TELLING)
        and any(re.fullmatch(rf"{re.escape(task.task_id)}(_\d+)?", name) for name in failed)
    ]


def wait_for_reason(known: Callable[[], bool]) -> bool:
    """Waits at most SECONDS_FOR_REASON for the failed task's process to write its reason. Returns whether it did."""
    end = time.monotonic() + SECONDS_FOR_REASON
    while not known():
        if time.monotonic() >= end:
            return False
        time.sleep(0.5)
    return True
