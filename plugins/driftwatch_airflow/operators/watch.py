"""The steps of the DAG driftwatch_watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, Variable
from airflow.sdk.exceptions import AirflowSkipException, AirflowTaskTimeout

from driftwatch.errors import DriftwatchError
from driftwatch_airflow import watch
from driftwatch_airflow.alerts import NotTold, safe_to_tell
from driftwatch_airflow.task_docs import task_doc
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

# A monitor whose storage does not answer within this time is left to the next look.
SECONDS_FOR_A_MONITOR = 120.0
SECONDS_TO_REMOVE = 300.0
PING_VARIABLE = "driftwatch_watch_ping_url"
PING_SECONDS = 10.0


class WatchOperator(BaseOperator):
    """A step of the watch. The next hour does again what failed, so there is one retry."""

    ui_color = "#e8f1f5"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"retries": 1, "retry_delay": timedelta(minutes=1), "doc_md": task_doc(kwargs["task_id"]), **kwargs}
        )

    @staticmethod
    def at(context: Context) -> datetime:
        """The moment of the look: the run's own, so that a repeated task finds the same."""
        return context["dag_run"].run_after


class LookAtMonitorsOperator(WatchOperator):
    """Looks at all monitors, and puts what is new into their outboxes. Returns which storages cannot be written, and what could not be looked
    at. It fails only if it could not go through all monitors: a monitor that cannot be looked at stops no other."""

    def execute(self, context: Context) -> XCom:
        from airflow.sdk.execution_time.timeout import TimeoutPosix

        from driftwatch.view.words import count

        monitors, problems = watch.watched_monitors()
        unwritable: dict[str, dict[str, str]] = {}
        for watched in monitors:
            name = watched.monitor.name
            try:
                with TimeoutPosix(SECONDS_FOR_A_MONITOR, f"no end within {SECONDS_FOR_A_MONITOR:g} s"):
                    found, unknown = watch.look_at(context, watched, self.at(context))
            except (Exception, AirflowTaskTimeout) as error:
                problems.append(f"{name} cannot be looked at: {type(error).__name__}: {error}")
                continue
            problems += unknown
            if found is not None:
                unwritable[name] = {"place": found.place, "reason": safe_to_tell(found.reason)}
        for problem in problems:
            self.log.error("%s", safe_to_tell(problem))
        self.log.info("Looked at %s", count(len(monitors), "monitor"))
        return {"unwritable": unwritable, "problems": [safe_to_tell(problem) for problem in problems]}


class TellFindingsOperator(WatchOperator):
    """Tells what was found to the notifiers of each monitor, each once. Fails if something could not be told or looked at.

    :param looked: what `LookAtMonitorsOperator` returned.
    """

    ui_color = "#fde9e7"
    template_fields: Sequence[str] = ("looked",)

    def __init__(self, *, looked: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.looked = looked

    def execute(self, context: Context) -> list[str]:
        from driftwatch.watch.findings import StorageNotWritable

        told: list[str] = []
        problems: list[str] = list(self.looked["problems"])
        for monitor in [each.monitor for each in watch.watched_monitors()[0]]:
            bad, at = self.looked["unwritable"].get(monitor.name), self.at(context)
            found = StorageNotWritable(since=at, **bad) if bad else None
            try:
                told += watch.tell_unwritable(context, monitor, found, at)
                told += watch.tell_findings(context, monitor) if found is None else []
            except Exception as error:  # the other monitors are told too; raised at the end
                problems.append(safe_to_tell(f"{monitor.name}: {error}"))
        if problems:
            raise NotTold(f"{len(problems)} problems: {'; '.join(problems)}")
        return told


class KeepFilesOperator(WatchOperator):
    """Says of each monitor what is over by `storage.keep`, and removes it where `storage.keep.remove` says so. Skipped but in the first run of a
    UTC day. Returns how much that is. A monitor that fails stops no other, and fails the task at the end."""

    def execute(self, context: Context) -> XCom:
        from airflow.sdk.execution_time.timeout import TimeoutPosix

        today, before = self.at(context).date(), context["ti"].get_previous_dagrun()
        if before is not None and before.run_after.date() == today:
            raise AirflowSkipException(f"the first run of {today} has looked for files that are over")
        found, problems = dict[str, dict[str, int | bool]](), list[str]()
        for monitor in [each.monitor for each in watch.watched_monitors()[0] if each.sound]:
            try:
                with TimeoutPosix(SECONDS_TO_REMOVE, f"no end within {SECONDS_TO_REMOVE:g} s; the next day goes on"):
                    found[monitor.name] = watch.keep_files(monitor, today)
            except (Exception, AirflowTaskTimeout) as error:
                problems.append(safe_to_tell(f"{monitor.name}: {type(error).__name__}: {error}"))
        if problems:
            raise DriftwatchError(f"files that are over may be left: {'; '.join(problems)}")
        return found


class PingOperator(WatchOperator):
    """Calls the address in the Airflow Variable driftwatch_watch_ping_url, which tells another service that the watch has looked. Skipped
    without that Variable."""

    def execute(self, context: Context) -> None:
        from driftwatch.http import Limits, Service, client_for
        from driftwatch.http.policy import Call

        address = str(Variable.get(PING_VARIABLE, default="") or "").strip()
        if not address:
            raise AirflowSkipException(
                f"there is no Airflow Variable {PING_VARIABLE}: nobody is told that the watch runs"
            )
        service = Service("The ping", f"the Airflow Variable {PING_VARIABLE}", secrets=(address,))
        limits = Limits(timeout=PING_SECONDS, retries=2, whole=60.0)
        with client_for(service, limits) as client:
            answer = client.get(address, extensions=Call(shown="the ping").extensions)
        if not answer.is_success:
            raise DriftwatchError(f"the ping was answered with HTTP {answer.status_code}: correct {PING_VARIABLE}")
        self.log.info("The ping was answered with HTTP %s", answer.status_code)
