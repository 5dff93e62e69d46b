"""Profiles kept in the monitor's own storage."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from driftwatch.artifacts.nested_keys import LocalSinkKeys
from driftwatch.artifacts.publishing import ProfileKind
from driftwatch.publish.base import SinkSite, Slot

if TYPE_CHECKING:
    from driftwatch.storage import Storage


class LocalSink:
    """Keeps profiles in storage, below `prefix`: `<day>/<kind>.bin` and `reference/<version>.bin`."""

    name = "local"
    organisation = "local"
    delete_wait_seconds = 0.0

    def __init__(self, storage: Storage, dataset: str, prefix: str) -> None:
        self.dataset = dataset
        self._storage = storage
        self._keys = LocalSinkKeys(prefix)

    def reserve(self, kind: ProfileKind, day: date, idempotency_key: str, reference: str | None) -> Slot:
        key = self._keys.reference(reference or "") if kind == "reference" else self._keys.profile(day, kind)
        return Slot(key, key)

    def send(self, slot: Slot, payload: bytes) -> None:
        self._storage.write_bytes(slot.address, payload)

    def delete_day(self, day: date) -> None:
        for found in self._storage.list(self._keys.of_day(day)):
            self._storage.delete(found.key)

    def day_is_empty(self, day: date) -> bool:
        return self.profile_count(day) == 0

    def profile_count(self, day: date) -> int:
        return sum(1 for _ in self._storage.list(self._keys.of_day(day)))

    def counts_already(self, kind: ProfileKind, day: date) -> bool:
        return False  # a slot is a file: what is sent takes the place of what is there


def local_sink(site: SinkSite) -> LocalSink:
    """The sink in the monitor's storage."""
    store = site.store
    return LocalSink(store.storage, store.config.name, store.keys.local_profiles)
