"""What did not happen: looks at all monitors, and tells what it finds by their notifiers. The DAG driftwatch_watch calls this each hour, and
Airflow when a run has passed its deadline."""

from __future__ import annotations

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from driftwatch_airflow.alerts import NotTold, send_alert, tell
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.stores import store_of

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.config import MonitorConfig
    from driftwatch.publish.outbox import Outbox
    from driftwatch.watch.findings import Finding, StorageNotWritable
    from driftwatch.watch.look import Looked

log = logging.getLogger(__name__)
# The Airflow Variable that says of which storages people were told that they cannot be written. They cannot keep it themselves.
UNWRITABLE_VARIABLE = "driftwatch_watch_unwritable"


@dataclass(frozen=True)
class Watched:
    """A monitor to look at. `sound`: whether its file is; if not, its name, storage and notifiers alone are known. `refused`: names and first
    reason of the refused files that are told by its notifiers."""

    monitor: MonitorConfig
    sound: bool = True
    refused: tuple[str, ...] = ()
    reason: str = ""


def watched_monitors() -> tuple[list[Watched], list[str]]:
    """All monitors, and the refusals that can be told to nobody.

    A refused file is told by its own notifiers, if name, storage and notifiers are sound by themselves; else by those of the first monitor
    whose file is sound.
    """
    from driftwatch.config import MonitorConfig
    from driftwatch.config.loader import able_to_tell, load_monitors
    from driftwatch.config.refusals import shown

    files = load_monitors()
    found = {each.name: Watched(each) for _, each in files if isinstance(each, MonitorConfig)}
    first, untold = next(iter(found), None), []
    for path, error in files:
        if isinstance(error, MonitorConfig):
            continue
        own = able_to_tell(path)
        if own is not None and own.notifiers:
            found.setdefault(own.name, Watched(own, sound=False))
        name = own.name if own is not None and own.notifiers else first
        if name is None:
            untold.append(str(error))
            continue
        told = found[name]
        found[name] = replace(told, refused=(*told.refused, shown(path.name)), reason=told.reason or str(error))
    return list(found.values()), untold


def look_at(context: Context, watched: Watched, at: datetime) -> tuple[StorageNotWritable | None, tuple[str, ...]]:
    """Looks at a monitor, and puts what is new into its outbox. Returns why its storage cannot be written, if so, and what could not be
    looked at. Of a monitor without notifiers the findings are logged alone."""
    from driftwatch.watch.findings import StorageNotWritable
    from driftwatch.watch.look import storage_not_writable

    store = store_of(watched.monitor)
    unwritable = storage_not_writable(store, at)
    if unwritable is not None:
        log.error("%s cannot be written: %s", unwritable.place, unwritable.reason)
        return unwritable, ()

    def looked(first: date) -> Looked:
        found = _looked(context, watched, store, at, first)
        return replace(found, kinds=found.kinds | {StorageNotWritable.kind})

    return None, _note(context, store, at, looked)


def keep_files(monitor: MonitorConfig, today: date) -> dict[str, int | bool]:
    """Logs what is over by `storage.keep` on `today`, and removes it where the monitor file says so. Returns how much that is."""
    from driftwatch.retention.removal import keep_daily

    plan, removed = keep_daily(store_of(monitor), today), monitor.storage.keep.remove
    by_kind = Counter[str](removal.kind for removal in plan.over)
    log_decision(
        log,
        "files_kept",
        f"{monitor.name}: {len(plan.over)} files are over, {plan.bytes} bytes, {'removed' if removed else 'not removed'}",
        monitor=monitor.name,
        day=today.isoformat(),
        files=len(plan.over),
        bytes=plan.bytes,
        files_by_kind={**by_kind},
        removed=removed,
    )
    return {"files": len(plan.over), "bytes": plan.bytes, "removed": removed}


def _note(context: Context, store: MonitorStore, at: datetime, look: Callable[[date], Looked]) -> tuple[str, ...]:
    """Looks, and puts what is new into the outbox. Returns what could not be looked at. `look` gets the day of the first look."""
    from driftwatch.watch.notes import after_look, noted, write_notes

    monitor = store.config
    if not monitor.notifiers:
        found = look(at.date())
        for finding in found.findings:
            log.warning("%s: %s", monitor.name, finding)
        return found.problems
    with noted(store, at) as before:
        found = look(before.first)
        told = after_look(before, found, at, monitor.episodes.remind_days)
        for finding in told.news:
            send_alert(context, monitor, finding, outbox=outbox_of(store))
        write_notes(store, before, told.notes)
    return found.problems


def _looked(context: Context, watched: Watched, store: MonitorStore, at: datetime, first: date) -> Looked:
    from driftwatch.watch.findings import DagsPaused, FilesRefused
    from driftwatch.watch.look import Looked, look

    refused = FilesRefused(since=at, files=watched.refused, reason=watched.reason) if watched.refused else None
    if not watched.sound:
        return Looked((refused,) if refused else (), frozenset({FilesRefused.kind}))
    found = look(store, at, first)
    end = watched.monitor.schedule.end_date
    paused, problems = ((), ()) if end and end < at.date() else _paused(context, watched.monitor)
    more: list[Finding] = [refused] if refused else []
    more += [DagsPaused(since=at, dags=paused)] if paused else []
    kinds = {FilesRefused.kind, *([] if problems else [DagsPaused.kind])}
    return Looked((*found.findings, *more), found.kinds | kinds, (*found.problems, *problems))


def _paused(context: Context, monitor: MonitorConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of the monitor's DAGs are paused, and of which Airflow does not tell. The task asks Airflow's execution API, as every task may:
    that needs no connection and no rights, with any executor."""
    dags = [monitor.monitoring_dag_id, *([monitor.retraining_dag_id] if monitor.labels.labelled else [])]
    paused, problems = [], []
    for dag_id in dags:
        try:
            if context["ti"].get_dag(dag_id).is_paused:
                paused.append(dag_id)
        except Exception as error:  # Airflow's errors have no class in common
            problems.append(
                f"{monitor.name}: Airflow does not tell whether {dag_id} is paused ({type(error).__name__}: {error})"
            )
    return tuple(paused), tuple(problems)


def outbox_of(store: MonitorStore) -> Outbox:
    """The outbox of what the watch found at a monitor."""
    from driftwatch.publish.outbox import Outbox

    return Outbox(store.storage, store.keys.watch_outbox)


def kinds_of_findings() -> tuple[str, ...]:
    """The kinds that the watch tells."""
    from driftwatch.watch.findings import FINDINGS

    return tuple(each.kind for each in FINDINGS)


def tell_findings(context: Context, monitor: MonitorConfig) -> list[str]:
    """Tells what lies in the monitor's outbox, each once. Raises NotTold."""
    return tell(context, monitor, outbox_of(store_of(monitor)), kinds_of_findings()) if monitor.notifiers else []


def tell_unwritable(
    context: Context, monitor: MonitorConfig, found: StorageNotWritable | None, at: datetime
) -> list[str]:
    """Tells that the monitor's storage cannot be written, or can be again; each notifier once. What was told lies in an Airflow Variable, with the
    outbox as long as a notifier is still to be told. Raises NotTold."""
    from airflow.sdk import Variable

    from driftwatch.artifacts.watch import WatchNotes
    from driftwatch.publish.outbox import Outbox
    from driftwatch.storage import open_storage
    from driftwatch.watch.findings import StorageNotWritable
    from driftwatch.watch.look import Looked
    from driftwatch.watch.notes import after_look

    known = json.loads(Variable.get(UNWRITABLE_VARIABLE, default="{}"))
    if not monitor.notifiers or (found is None and monitor.name not in known):
        return []
    stored = known.get(monitor.name, {})
    waiting = stored.pop("outbox", {})
    before = WatchNotes.model_validate_json(json.dumps(stored)) if stored else WatchNotes(first=at.date(), findings=())
    looked = Looked((found,) if found else (), frozenset({StorageNotWritable.kind}))
    after = after_look(before, looked, at, monitor.episodes.remind_days)
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"file://{folder}")
        outbox = Outbox(storage, "outbox")
        for key, kept in waiting.items():
            storage.write_bytes(key, kept.encode())
        for finding in after.news:
            send_alert(context, monitor, finding, outbox=outbox)
        known[monitor.name], told, failed = after.notes.stored(), list[str](), None
        try:
            told = tell(context, monitor, outbox, (StorageNotWritable.kind,))
        except NotTold as error:
            failed, left = error, [item.key for item in storage.list("outbox") if item.key.endswith(".json")]
            known[monitor.name]["outbox"] = {key: storage.read_bytes(key).decode() for key in left}
    there = {name: notes for name, notes in known.items() if notes["findings"] or "outbox" in notes}
    Variable.set(UNWRITABLE_VARIABLE, json.dumps(there))
    if failed is not None:
        raise failed
    return told


def day_is_late(monitor: str, context: Mapping[str, Any]) -> None:
    """Called by Airflow when a run of the monitor's DAG has passed its deadline. Looks for late days as the watch does, so nobody is told twice.

    `context`: what Airflow gives to such a call: the run, as its REST API shows it, and the deadline.
    """
    from driftwatch.config.loader import monitor_named
    from driftwatch.watch.findings import LateDays
    from driftwatch.watch.look import look

    config = monitor_named(monitor)
    at = datetime.fromisoformat(str(context["deadline"]["deadline_time"]))
    run = SimpleNamespace(**context["dag_run"], run_id=context["dag_run"]["dag_run_id"])
    of_run = cast("Context", {**context, "dag_run": run})
    store = store_of(config)
    _note(of_run, store, at, lambda first: look(store, at, first, only=(LateDays,)))
    tell(of_run, config, outbox_of(store), (LateDays.kind,))
