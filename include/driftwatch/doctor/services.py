"""The connections that a monitor file names, the services behind them, and whether their clocks agree with this machine's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

from driftwatch.config import MonitorConfig, NotifierConfig
from driftwatch.config.labels import DESK, LABEL_STUDIO, TOLOKA
from driftwatch.credentials import Access
from driftwatch.doctor.results import CheckResult, Facts, Said, Skew, looked, not_checked
from driftwatch.doctor.site import Site
from driftwatch.errors import NeedsAttention
from driftwatch.http import Limits, Service, client_for
from driftwatch.storage import Storage
from driftwatch.storage.kinds import storage_kind

# S3 refuses a request whose clock differs by a quarter of an hour. A server's header has whole seconds.
WRONG_SECONDS, LOOK_SECONDS = 300.0, 30.0


def named_connections(monitor: MonitorConfig) -> list[tuple[str, str]]:
    """Each setting that names an Airflow connection which this monitor uses, with the connection."""
    labels, model, mlflow, kind = (
        monitor.labels,
        monitor.model,
        monitor.registry.mlflow,
        storage_kind(monitor.storage.uri),
    )
    found: list[tuple[str, str | None]] = [
        ("storage.connection", monitor.storage.connection if kind.takes_login else None)
    ]
    layout = monitor.images.layout
    if layout and any(storage_kind(path).takes_login for path in layout.elsewhere):
        found.append(("images.layout.connection", layout.connection))
    found += [(f"images.earlier of {place}", connection) for place, connection in monitor.images.earlier.items()]
    if labels.people:
        # A backend of another package may need none.
        own = labels.people in (TOLOKA, LABEL_STUDIO, DESK)
        found.append(("labels.connection", labels.connection_id if own else labels.connection))
        default = type(labels).model_fields["image_links"].default
        if not kind.presigns or labels.image_links != default:
            found.append(("labels.image_links", labels.image_links))
    found.append(("labels.table.connection", labels.table.connection if labels.table else None))
    found.append(("model.endpoint.connection", model.endpoint.connection if model.endpoint else None))
    found.append(("model.logged.connection", model.logged.connection if model.logged else None))
    found.append(("publish.connection", monitor.publish.connection if "whylabs" in monitor.publish.sinks else None))
    found.append(("registry.mlflow.connection", mlflow.connection if mlflow else None))
    return [(setting, connection) for setting, connection in found if connection]


def connections(site: Site) -> Iterator[CheckResult]:
    """Whether each connection is there."""
    for setting, connection in named_connections(site.monitor):
        yield looked("connection", partial(_there, site, connection, setting), f"{connection} ({setting})")


def _there(site: Site, connection: str, setting: str) -> None:
    site.refuse_missing(connection, setting)


def services(site: Site, missing: set[str]) -> Iterator[CheckResult]:
    """Whether each outside service takes its login. `missing`: the settings whose connection is not there."""
    monitor = site.monitor
    if monitor.labels.people and "labels.connection" not in missing:
        yield looked("label_service", lambda: _said(site.backend().account()), monitor.labels.people)
    if "whylabs" in monitor.publish.sinks and "publish.connection" not in missing:
        yield looked("whylabs", lambda: _whylabs(site), monitor.publish.connection)
    if monitor.registry.mlflow and "registry.mlflow.connection" not in missing:
        yield looked("mlflow", lambda: _mlflow(site), monitor.registry.mlflow.connection)


def _said(text: str) -> Facts | None:
    return Said(text) if text else None


def _whylabs(site: Site) -> Facts:
    from driftwatch.publish.whylabs.api import whylabs_api

    publish = site.monitor.publish
    access = site.access(publish.connection, "API key", "publish.connection")
    return Said(whylabs_api(access, publish.dataset).check())


def _mlflow(site: Site) -> Facts:
    from driftwatch.models.mlflow.mirror import api_of, settings_of

    store = site.store()
    settings = settings_of(store)
    assert settings
    name = settings.model or store.config.name
    found = api_of(store).registered_model(name)
    return Said(
        f"{name} is registered there" if found else f"{name} is not registered there yet: the next day does that"
    )


def notifiers(site: Site, send: bool) -> Iterator[CheckResult]:
    """Whether each notifier can be made; with `send` it also sends a test message."""
    for entry in site.monitor.notifiers:
        yield looked("notifier", partial(_told, site, entry, send), entry.notifier)


def _told(site: Site, entry: NotifierConfig, send: bool) -> Facts:
    if send:
        site.notify(entry)
        return Said("a test message was sent")
    site.load_notifier(entry)
    return Said("it can be made; nothing was sent, which takes --notify (in the form: Send a test message)")


def clocks(site: Site, storage: Storage, missing: set[str]) -> Iterator[CheckResult]:
    """How far the clocks of the storage and of each server are from this machine's."""
    if storage.remote:
        yield _clock(site, storage.uri, storage.clock)
    for setting, connection in named_connections(site.monitor):
        secret = {"labels.connection": "token", "publish.connection": "API key"}.get(setting, "")
        if setting in missing or not (secret or setting in ("model.endpoint.connection", "registry.mlflow.connection")):
            continue
        try:
            access = site.access(connection, secret, setting) if secret else site.store().access(connection, setting)
        except NeedsAttention:
            continue  # told by the check of the service itself
        if address := access.address or _usual_address(site, setting):
            yield _clock(site, address, partial(_date_of, access, address))


def _usual_address(site: Site, setting: str) -> str:
    from driftwatch.labels.backends.toloka.backend import API

    return API if setting == "labels.connection" and site.monitor.labels.people == TOLOKA else ""


def _clock(site: Site, about: str, read: Callable[[], datetime | None]) -> CheckResult:
    before = site.now()
    try:
        theirs = read()
    except Exception as error:
        return CheckResult("clock", "wrong", about, problem=error)
    if theirs is None:
        return not_checked("clock", "it does not say its time", about)
    middle = before + (site.now() - before) / 2
    # Their time is cut to whole seconds.
    seconds = (theirs + timedelta(seconds=0.5) - middle).total_seconds()
    far = abs(seconds)
    return CheckResult(
        "clock", "wrong" if far > WRONG_SECONDS else "look" if far > LOOK_SECONDS else "ok", about, Skew(seconds)
    )


def _date_of(access: Access, address: str) -> datetime | None:
    """The time in an answer's header, whatever its status."""
    with client_for(
        Service("the clock", access.name, access.secrets), Limits(timeout=20, retries=1, whole=30)
    ) as client:
        answer = client.head(address)
    return parsedate_to_datetime(answer.headers["Date"]) if "Date" in answer.headers else None
