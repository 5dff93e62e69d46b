"""Where profiles go: WhyLabs, or storage alone.

A sink takes an upload in two steps, so that the ledger can write down the upload's id before anything is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal, Protocol

from driftwatch.artifacts.nested_keys import LocalSinkKeys

if TYPE_CHECKING:
    from driftwatch.publish.whylabs import WhyLabsApi
    from driftwatch.storage import Storage

Kind = Literal["features", "performance", "reference"]


@dataclass(frozen=True)
class Slot:
    """A reserved upload. `address` may carry the permission to write, and stays out of messages and files."""

    upload_id: str
    address: str = field(repr=False)


class Sink(Protocol):
    """`name`, `organisation` and `dataset` tell the ledger what is whose. A sink merges what it gets for a day: sending
    the same again counts twice, unless it goes to the same slot."""

    name: str
    organisation: str
    dataset: str
    delete_wait_seconds: float

    def reserve(self, kind: Kind, day: date, idempotency_key: str, reference: str | None) -> Slot:
        """A slot; the same one for the same key where the sink can. Counts nothing by itself.

        Raises KeyAlreadyUsed where the sink refuses a key's second use."""

    def send(self, slot: Slot, payload: bytes) -> None:
        """Fills the slot; raises SinkError, `uncertain` when it may be filled all the same."""

    def delete_day(self, day: date) -> None:
        """Asks for the deletion of all that the day holds; it may take time."""

    def day_is_empty(self, day: date) -> bool:
        """Whether no deletion is under way and nothing is left."""


class LocalSink:
    """Keeps profiles in storage, below `prefix`: `<day>/<kind>.bin` and `reference/<version>.bin`."""

    name = "local"
    organisation = "local"
    delete_wait_seconds = 0.0

    def __init__(self, storage: Storage, dataset: str, prefix: str) -> None:
        self.dataset = dataset
        self._storage = storage
        self._keys = LocalSinkKeys(prefix)

    def reserve(self, kind: Kind, day: date, idempotency_key: str, reference: str | None) -> Slot:
        key = self._keys.reference(reference or "") if kind == "reference" else self._keys.profile(day, kind)
        return Slot(key, key)

    def send(self, slot: Slot, payload: bytes) -> None:
        self._storage.write_bytes(slot.address, payload)

    def delete_day(self, day: date) -> None:
        for found in self._storage.list(self._keys.of_day(day)):
            self._storage.delete(found.key)

    def day_is_empty(self, day: date) -> bool:
        return not self._storage.list(self._keys.of_day(day))


class WhyLabsSink:
    """One dataset of a WhyLabs organisation. `delete_wait_seconds`: WhyLabs deletes within an hour as a rule; a task that
    waited in vain fails, and its retry goes on waiting."""

    name = "whylabs"

    def __init__(self, api: WhyLabsApi, delete_wait_seconds: float = 1200) -> None:
        self.api = api
        self.organisation = api.organisation
        self.dataset = api.need_dataset()
        self.delete_wait_seconds = delete_wait_seconds

    def reserve(self, kind: Kind, day: date, idempotency_key: str, reference: str | None) -> Slot:
        if kind == "reference":
            return self.api.reserve_reference(reference or "", day, idempotency_key)
        return self.api.reserve_profile(day, idempotency_key)

    def send(self, slot: Slot, payload: bytes) -> None:
        self.api.send(slot, payload)

    def delete_day(self, day: date) -> None:
        self.api.delete_day(day)

    def day_is_empty(self, day: date) -> bool:
        return not self.api.deletion_pending(day) and self.api.profile_count(day) == 0
