"""The doctor's ways to the outside, by Airflow's connections and notifiers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from driftwatch_airflow.outside_tasks import as_a_server

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig, NotifierConfig
    from driftwatch.doctor.site import Site

TEST_SUBJECT = "This is a test of {monitor}'s notifier"
TEST_MESSAGE = "Driftwatch's doctor sent it. Nothing happened, and nothing is to be done."


def site_of(monitor: MonitorConfig, name: str, context: Mapping[str, Any]) -> Site:
    """`name`: of this examination, for the object that is written and removed. `context`: the task's, for the notifiers."""
    from driftwatch.doctor.site import Site
    from driftwatch_airflow.connections import access_of, connection_of
    from driftwatch_airflow.image_links import link_signers
    from driftwatch_airflow.label_backends import label_backend_of
    from driftwatch_airflow.stores import store_of

    return Site(
        monitor=monitor,
        name=name,
        now=lambda: datetime.now(timezone.utc),
        store=cache(partial(store_of, monitor)),
        refuse_missing=connection_of,
        access=access_of,
        backend=partial(label_backend_of, monitor),
        signers=partial(link_signers, monitor),
        load_notifier=_notifier,
        notify=partial(_notify, monitor, context),
    )


def site_outside_tasks(monitor: MonitorConfig) -> Site:
    """See `driftwatch.doctor.site.site_of_command`."""
    as_a_server()
    from airflow.sdk import DAG

    return site_of(monitor, uuid.uuid4().hex, {"dag": DAG("driftwatch_doctor", schedule=None)})


def _notifier(entry: NotifierConfig) -> Any:
    from airflow.sdk.module_loading import import_string

    return import_string(entry.notifier)(**entry.arguments)


def _notify(monitor: MonitorConfig, context: Mapping[str, Any], entry: NotifierConfig) -> None:
    from airflow.sdk.execution_time.timeout import TimeoutPosix

    from driftwatch.artifacts.publishing import OutboxAlert
    from driftwatch_airflow.alerts import NOTIFIER_SECONDS

    subject = TEST_SUBJECT.format(monitor=monitor.name)
    alert = OutboxAlert(
        id="test", monitor=monitor.name, day="", kind=entry.on[0], subject=subject, message=TEST_MESSAGE
    )
    with TimeoutPosix(NOTIFIER_SECONDS, f"no answer within {NOTIFIER_SECONDS:g} s"):
        _notifier(entry)({**context, "alert": alert})
