"""Sends a monitor's alerts to the Airflow notifiers that its file names."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.config import AlertKind, MonitorConfig

log = logging.getLogger(__name__)
_ABOUT_MODELS = ("retraining_failed", "model_promoted", "model_rolled_back")


@dataclass(frozen=True)
class Alert:
    """What a notifier's templates see as `alert`."""

    monitor: str
    day: str
    kind: str
    subject: str
    message: str


def send_alert(context: Context, monitor: MonitorConfig, kind: AlertKind, facts: dict[str, Any]) -> Alert:
    """Logs the alert and hands it to each notifier that takes its kind.

    Every notifier is tried; if any fails, the first failure is raised afterwards, so that an alert is never lost in silence.
    """
    from airflow.sdk.module_loading import import_string

    from driftwatch.report.summary import alert_text

    links = {**_links(context, monitor, kind, str(facts.get("day", ""))), **facts.get("links", {})}
    subject, message = alert_text(kind, {"monitor": monitor.name, **facts, "links": links})
    alert = Alert(monitor.name, str(facts.get("day", "")), kind, subject, message)
    log.warning("%s\n%s", subject, message)
    failures: list[Exception] = []
    for entry in monitor.notifiers:
        if kind not in entry.on:
            continue
        try:
            import_string(entry.notifier)(**entry.arguments)({**context, "alert": alert})
        except Exception as error:  # tried one by one, raised below
            log.exception("Notifier %s failed for %r", entry.notifier, subject)
            failures.append(error)
    if failures:
        raise failures[0]
    return alert


def _links(context: Context, monitor: MonitorConfig, kind: AlertKind, day: str) -> dict[str, str]:
    """The day's or the models' page and the run in Airflow; none where `api.base_url` does not say where Airflow is."""
    from urllib.parse import quote

    from airflow.configuration import conf

    from driftwatch_airflow.ui import URL_PREFIX

    base = str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
    if not base.startswith(("http://", "https://")):
        return {}
    page = f"days/{day}/" if day else "models" if kind in _ABOUT_MODELS else ""
    links = {"Monitor page": f"{base}{URL_PREFIX}/m/{monitor.name}/{page}"}
    run = context.get("dag_run")
    if run:
        links["Airflow run"] = f"{base}/dags/{quote(run.dag_id, safe='')}/runs/{quote(run.run_id, safe='')}"
    return links


def retraining_failed(monitor: MonitorConfig) -> Callable[[Context], None]:
    """A failure callback that tells the notifiers which step of a retraining failed, and why."""

    def tell(context: Context) -> None:
        from driftwatch.layout import MonitorLayout
        from driftwatch.model import registry
        from driftwatch_airflow.monitor import storage_of

        champion = registry.champion(storage_of(monitor), MonitorLayout(monitor.name))
        facts = {
            "run_id": context["run_id"],
            "task": context["ti"].task_id,
            "reason": str(context.get("exception")),
            "champion": champion["version"] if champion else "still to be registered",
        }
        send_alert(context, monitor, "retraining_failed", facts)

    return tell
