"""A monitor's alerts. The step that has something to tell puts an alert into the outbox. A later step tells it, by the notifiers of the
monitor file: Airflow's objects that send a message, such as a mail. No other step depends on that one."""

from __future__ import annotations

import itertools
import logging
import re
import traceback
from collections.abc import Collection, Mapping
from datetime import date
from typing import TYPE_CHECKING

from driftwatch.errors import DriftwatchError
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.paths import URL_PREFIX, run_path, web_address
from driftwatch_airflow.stores import store_of

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.alerts import Alert
    from driftwatch.artifacts.publishing import OutboxAlert
    from driftwatch.config import MonitorConfig, NotifierConfig
    from driftwatch.publish.outbox import Outbox

log = logging.getLogger(__name__)
# A notifier that does not answer within this time counts as failed.
NOTIFIER_SECONDS = 120.0
_SECRETS = (
    (re.compile(r"(?i)\b(oauth|bearer|basic|api-?key)(:?\s+)((?=\S*\d)[\w.~+/=:-]{8,}|[\w.~+/=:-]{20,})"), r"\1\2***"),
    (re.compile(r"(//[^/\s:@]*:)[^@\s/]+@"), r"\1***@"),
    (re.compile(r"(?i)([?&;](?:x-amz-[a-z-]+|signature|sig|token|key|api_?key|password|secret)=)[^&\s'\"]+"), r"\1***"),
)


class NotTold(DriftwatchError):
    """At least one notifier could not be told. The others were told, and are not told again."""


def send_alert(
    context: Context,
    monitor: MonitorConfig,
    alert: Alert,
    links: Mapping[str, str] | None = None,
    outbox: Outbox | None = None,
) -> OutboxAlert:
    """Logs the alert and puts it into the outbox, from which a later step tells it.

    `links`: more addresses by name. They follow the addresses of the monitor's page and of the run. `outbox`: by default that of the alert's
    day, of its retraining, or of the models.
    """
    from driftwatch.artifacts.alerts import RetrainingAlert
    from driftwatch.artifacts.publishing import OutboxAlert
    from driftwatch.publish.outbox import alert_id
    from driftwatch.view.alerts import alert_text

    subject, message = alert_text(monitor.name, alert, {**_links(context, monitor, alert), **(links or {})})
    told = OutboxAlert(
        id=alert_id(monitor.name, alert),
        monitor=monitor.name,
        day=alert.about_day,
        kind=alert.kind,
        subject=subject,
        message=message,
    )
    run_id = alert.run_id if isinstance(alert, RetrainingAlert) else None
    log_decision(
        log,
        "alert",
        f"{subject}\n{message}",
        level=logging.WARNING,
        monitor=monitor.name,
        day=alert.about_day or None,
        kind=alert.kind,
        source=alert.source,
        subject=subject,
        alert_id=told.id,
        retraining_run_id=run_id,
    )
    (outbox or outbox_of(monitor, day=alert.about_day, run_id=run_id)).put(alert.source, told)
    return told


def nothing_to_tell(monitor: MonitorConfig, day: str, source: str, forget: bool = True) -> None:
    """Takes back the alert that this step had in an earlier run, since it has none now. If it was not told yet, it is not told any more.
    Without `forget` it is not told again either if it comes back."""
    outbox_of(monitor, day=day).withdraw(source, forget)


def outbox_of(monitor: MonitorConfig, *, day: str = "", run_id: str | None = None) -> Outbox:
    """The outbox of a day, or of a run of the retraining DAG. Without both: that of the models."""
    from driftwatch.artifacts.nested_keys import run_key
    from driftwatch.publish.outbox import Outbox

    store = store_of(monitor)
    if day:
        return Outbox(store.storage, store.keys.day(date.fromisoformat(day)).outbox)
    if run_id:
        return Outbox(store.storage, store.keys.of_retraining(run_key(run_id)).outbox)
    return Outbox(store.storage, store.keys.models_outbox)


def tell(context: Context, monitor: MonitorConfig, outbox: Outbox, kinds: Collection[str]) -> list[str]:
    """Tells each alert of `kinds` to each notifier that takes it and has not got it yet, and returns who was told what.

    Every notifier is tried. Raises NotTold, with each reason, if any failed.
    """
    told: list[str] = []
    failures: list[str] = []
    wanted = [alert for alert in outbox.alerts() if alert.kind in kinds]
    for alert, entry in itertools.product(wanted, monitor.notifiers):
        if alert.kind not in entry.on:
            continue
        error = _tell_one(context, outbox, alert, entry, told)
        if error is not None:
            log.error("Not told: %r\n%s", alert.subject, safe_to_tell("".join(traceback.format_exception(error))))
            failures.append(safe_to_tell(f"{alert.subject!r} by {entry.notifier}: {type(error).__name__}: {error}"))
    if failures:
        raise NotTold(
            f"{len(failures)} of the messages could not be told: {'; '.join(failures)}. No other task waits for this one. Correct the "
            "notifier in the monitor file, or its Airflow connection, and clear this task: it tells only what was not told yet"
        )
    return told


def _tell_one(
    context: Context, outbox: Outbox, alert: OutboxAlert, entry: NotifierConfig, told: list[str]
) -> BaseException | None:
    """Why the notifier could not be told. None if it was told, now or before."""
    from airflow.sdk.exceptions import AirflowTaskTimeout
    from airflow.sdk.execution_time.timeout import TimeoutPosix
    from airflow.sdk.module_loading import import_string

    from driftwatch.publish.outbox import recipient

    def send() -> None:
        import_string(entry.notifier)(**entry.arguments)({**context, "alert": alert})

    try:
        with TimeoutPosix(NOTIFIER_SECONDS, f"no answer within {NOTIFIER_SECONDS:g} s"):
            if outbox.tell(alert, recipient(entry), send):
                told.append(f"{alert.kind} by {entry.notifier}")
    except (Exception, AirflowTaskTimeout) as error:  # the other notifiers are tried too; raised at the end
        return error
    return None


def safe_to_tell(text: str) -> str:
    """The text without the secrets that Airflow knows, and without anything that looks like a secret."""
    from airflow.sdk.log import redact

    found = str(redact(text))
    for pattern, instead in _SECRETS:
        found = pattern.sub(instead, found)
    return found


def _links(context: Context, monitor: MonitorConfig, alert: Alert) -> dict[str, str]:
    """The page of the day or of the models, and the run's page in Airflow. Empty if `api.base_url` does not say where Airflow is."""
    base = web_address()
    if not base:
        return {}
    page = f"days/{alert.about_day}/" if alert.about_day else alert.page
    links = {"Monitor page": f"{base}{URL_PREFIX}/m/{monitor.name}/{page}"}
    if days := getattr(alert, "retrained_days", ()):
        links["What is usual"] = f"{base}{URL_PREFIX}/m/{monitor.name}/days/{max(days)}/#usual"
    run = context.get("dag_run")
    if run:
        links["Airflow run"] = base + run_path(run.dag_id, run.run_id)
    return links
