"""What the storage allows: an object is created once, read, listed, linked to, and removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import httpx

from driftwatch.doctor.results import Check, CheckResult, Facts, LinkLife, looked, not_checked
from driftwatch.doctor.site import Site
from driftwatch.errors import NeedsAttention, StorageFailed
from driftwatch.http import Limits, Service, client_for
from driftwatch.labels.links import ImageLinks
from driftwatch.labels.plan import links_end
from driftwatch.storage import Storage

# The smallest PNG: an image server shows it as an image.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
_OTHER = _PIXEL + b"another"


def storage_rights(site: Site, storage: Storage, missing: set[str]) -> Iterator[CheckResult]:
    """One finding for each right, and one for the links by which people see images. The object is removed whatever is found. `missing`: the
    settings whose connection is not there."""
    probe = Probe(storage, site.monitor.name, site.name)
    created = looked("storage_create", probe.create)
    yield created
    if created.state != "ok":
        later: tuple[Check, ...] = ("storage_only_once", "storage_read", "storage_list", "storage_remove")
        yield from (not_checked(check, "nothing could be written") for check in later)
        return
    yield looked("storage_only_once", probe.create_again)
    yield looked("storage_read", probe.read)
    yield looked("storage_list", probe.list)
    if site.monitor.labels.people and not missing & {"labels.image_links", "labels.connection"}:
        yield looked("image_links", lambda: _links(site, storage, probe.key), site.monitor.labels.image_links)
    yield looked("storage_remove", probe.remove)


class Probe:
    """One small object, by which the storage is tried."""

    def __init__(self, storage: Storage, monitor: str, name: str) -> None:
        from driftwatch.artifacts.keys import MonitorKeys

        self.storage, self.key = storage, MonitorKeys(monitor).probe(name)
        path = storage.local_path(self.key)
        self._made = [folder for folder in path.parents if not folder.exists()] if path else []

    def create(self) -> None:
        if self.storage.replace(self.key, _PIXEL, None) is None:
            raise StorageFailed(f"{self.storage.url(self.key)} was there already: run this once more")

    def create_again(self) -> None:
        if self.storage.replace(self.key, _OTHER, None) is None:
            return
        self.storage.write_bytes(self.key, _PIXEL)
        raise NeedsAttention(
            f"{self.storage.uri}: the server replaced an object that was to be created only where there is none. Two runs at once would "
            "pay twice: use a server that has conditional writes, as AWS S3, MinIO and Ceph have"
        )

    def read(self) -> None:
        if self.storage.read_bytes(self.key) != _PIXEL:
            raise StorageFailed(f"{self.storage.url(self.key)} does not hold what was written: look at the storage")

    def list(self) -> None:
        folder = self.key.rpartition("/")[0]
        if self.key not in [found.key for found in self.storage.list(folder)]:
            raise StorageFailed(f"{self.storage.url(folder)} does not list what was written: look at the storage")

    def remove(self) -> None:
        self.storage.delete(self.key)
        for folder in self._made:
            with suppress(OSError):  # a task has put something in meanwhile
                folder.rmdir()
        if self.storage.exists(self.key):
            raise StorageFailed(f"{self.storage.url(self.key)} is still there after it was removed: remove it by hand")


def _links(site: Site, storage: Storage, key: str) -> Facts:
    """Makes a link as annotators get it, and follows it."""
    signers, now, renewed = site.signers(), site.now(), site.backend().renews_links
    ends = links_end(site.monitor.labels, now)
    links = ImageLinks(storage, key.rpartition("/")[0], now, ends, signers.server, signers.storage)
    if not renewed:
        links.check()
    _follow(links.to(key), storage.url(key), now)
    return LinkLife(round((ends - now).total_seconds() / 3600), renewed)


def _follow(link: str, what: str, now: datetime) -> None:
    address = httpx.URL(link)
    service = Service("the image link", "labels.image_links", ())
    with client_for(service, Limits(timeout=20, retries=1, whole=30)) as client:
        answer = client.get(address, headers={"Accept": "image/*"})
    if not answer.is_success or answer.content != _PIXEL:
        said = f"HTTP {answer.status_code}" if not answer.is_success else "other bytes"
        raise NeedsAttention(
            f"a signed link to {what} at {address.host} gives {said}, and annotators would see nothing: look at the connection that "
            f"labels.image_links names, at the server's folder and secret, and at the clocks (the link was made at {now:%H:%M:%S} UTC)"
        )
