"""All checks of one monitor, in the order in which one would repair what they find."""

from __future__ import annotations

from collections.abc import Iterator

from driftwatch.artifacts.store import MonitorStore
from driftwatch.doctor.images import boxes_findings, formats_finding, images_finding
from driftwatch.doctor.model import model_findings
from driftwatch.doctor.results import CheckResult, Said, looked, not_checked
from driftwatch.doctor.services import clocks, connections, named_connections, notifiers, services
from driftwatch.doctor.site import Site
from driftwatch.doctor.sizes import size_findings
from driftwatch.doctor.storage_rights import storage_rights


def examine(site: Site, notify: bool = False) -> Iterator[CheckResult]:
    """Each finding as soon as it is made. With `notify` every notifier gets a test message, and nothing else is told to anybody."""
    settings = [setting for setting, _ in named_connections(site.monitor)]
    missing = set()
    for setting, finding in zip(settings, connections(site), strict=True):
        if finding.state != "ok":
            missing.add(setting)
        yield finding
    reached = _reached(site)
    yield reached
    if reached.state == "look":
        yield not_checked("storage_create", "the folder is not there yet, and the doctor makes none")
    elif reached.state == "ok":
        yield from storage_rights(site, site.store().storage, missing)
    if {"avif", "heic"} & {*site.monitor.images.formats}:
        yield formats_finding(site)
    if site.monitor.images.layout is not None and "images.layout.connection" not in missing:
        yield images_finding(site)
    if site.monitor.labels.blur is not None and reached.state == "ok":
        yield from boxes_findings(site)
    yield from services(site, missing)
    yield from notifiers(site, notify)
    if reached.state == "wrong":
        yield not_checked("champion", "the storage cannot be read")
        return
    store = site.store()
    yield from clocks(site, store.storage, missing)
    yield from model_findings(store)
    yield from _sizes(store)


def _reached(site: Site) -> CheckResult:
    def reach() -> Said:
        storage = site.store().storage
        storage.reach()
        return Said(storage.uri)

    found = looked("storage", reach)
    root = site.store().storage.local_path("any") if found.state == "ok" else None
    if root is None or root.parent.exists():
        return found
    said = f"{root.parent} is not there yet: the first command that writes makes it. Mount it first if it is a disk of its own"
    return CheckResult("storage", "look", facts=Said(said))


def _sizes(store: MonitorStore) -> Iterator[CheckResult]:
    from driftwatch.models.registry import card, champion

    try:
        current = champion(store)
        found = [*size_findings(store, card(store, current.version) if current else None)]
    except Exception as error:
        found = [CheckResult("gate", "wrong", problem=error)]
    yield from found
