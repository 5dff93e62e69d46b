"""The upload ledger: a JSON file beside the day's artifacts that says what was published where.

Each upload is an entry, found by (sink, organisation, dataset, day, kind, reference, content hash). Its states:

    pending    nothing has been sent with the entry's present idempotency key
    sending    a slot is reserved, under `upload_id`; what was sent may have arrived
    done       it has arrived
    waiting    it is to be sent once the sink has deleted the day (a revision or a repair)
    replaced   an older revision; kept as history

The payload is kept beside the ledger before the first try, so that every retry sends the same bytes and a revision of one
kind of profile can send the other again.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from driftwatch.artifacts.nested_keys import LedgerKeys, lock_of
from driftwatch.publish.sinks import Kind, Sink
from driftwatch.storage.lock import Lock, exclusive

if TYPE_CHECKING:
    from driftwatch.storage import Storage

State = Literal["pending", "sending", "done", "waiting", "replaced"]
_NAMESPACE = uuid.UUID("0a0f7c52-6a8e-5c5b-9d0e-5f1f3f6a7d21")
_LIVE = ("pending", "sending", "done", "waiting")


@dataclass(frozen=True)
class Entry:
    """One upload. `resent`: the day was deleted for it. `attempt` counts the idempotency keys used for it."""

    sink: str
    organisation: str
    dataset: str
    day: str
    kind: Kind
    reference: str | None
    content_hash: str
    payload_key: str
    revision: int = 1
    attempt: int = 1
    state: State = "pending"
    upload_id: str | None = None
    resent: bool = False

    @property
    def identity(self) -> tuple[Any, ...]:
        """Unique in a ledger; stays the same through all states."""
        return (self.sink, self.organisation, self.dataset, self.day, self.kind, self.reference, self.revision)

    @property
    def idempotency_key(self) -> str:
        parts = [*self.identity, self.content_hash, self.attempt]
        return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))

    def describe(self) -> str:
        what = f"reference {self.reference}" if self.kind == "reference" else f"{self.kind} of {self.day}"
        return f"{what} ({self.sink} {self.organisation}/{self.dataset})"


class Ledger:
    """The entries of one sink's dataset and day in a ledger file, which other sinks share.

    Every change reads the file and writes it whole, so that the caller holds `locked` meanwhile: two runs of one day may publish
    its features and its performance at the same moment.
    """

    def __init__(self, storage: Storage, key: str, sink: Sink, day: date) -> None:
        self.key = key
        self._storage, self._keys = storage, LedgerKeys(key)
        self._target = (sink.name, sink.organisation, sink.dataset, day.isoformat())
        self._lock: Lock | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out while the entries are read, changed and sent."""
        with exclusive(self._storage, lock_of(self.key)) as self._lock:
            yield

    def check(self) -> None:
        """Raises LockLost unless the ledger is still ours; before whatever is sent or written."""
        if self._lock is None:
            raise RuntimeError("a ledger is changed within `locked` alone")
        self._lock.check()

    def entries(self) -> list[Entry]:
        """Everything in the file, in the order in which it was first written."""
        if not self._storage.exists(self.key):
            return []
        return [Entry(**fields) for fields in self._storage.read_json(self.key)["uploads"]]

    def live(self) -> list[Entry]:
        """What counts at this sink now, or is about to."""
        return [e for e in self.entries() if self._is_ours(e) and e.state in _LIVE]

    def current(self, kind: Kind, reference: str | None) -> Entry | None:
        return next((e for e in self.live() if (e.kind, e.reference) == (kind, reference)), None)

    def add(self, kind: Kind, reference: str | None, content_hash: str, payload: bytes) -> Entry:
        """A pending entry for a kind that has none, in the day's present revision."""
        sink, organisation, dataset, day = self._target
        payload_key = self._keep(kind, content_hash, payload)
        revision = max((e.revision for e in self.live()), default=1)
        entry = Entry(sink, organisation, dataset, day, kind, reference, content_hash, payload_key, revision)
        self._write([*self.entries(), entry])
        return entry

    def replace_day(self, kind: Kind, content_hash: str, payload: bytes) -> None:
        """In one write: the day's live uploads become history, and wait to be sent again, the one of `kind` with new
        content. References do not belong to a day and stay."""
        payload_key = self._keep(kind, content_hash, payload)
        entries, waiting = [], []
        revision = 1 + max(e.revision for e in self.entries() if self._is_ours(e))
        for entry in self.entries():
            if self._is_ours(entry) and entry.state in _LIVE and entry.kind != "reference":
                again = dataclasses.replace(
                    entry, revision=revision, attempt=1, state="waiting", upload_id=None, resent=True
                )
                if entry.kind == kind:
                    again = dataclasses.replace(again, content_hash=content_hash, payload_key=payload_key)
                waiting.append(again)
                entry = dataclasses.replace(entry, state="replaced")
            entries.append(entry)
        self._write(entries + waiting)

    def change(self, *changed: Entry) -> None:
        """Writes entries in their new state, in one write."""
        new = {entry.identity: entry for entry in changed}
        self._write([new.get(entry.identity, entry) for entry in self.entries()])

    def payload(self, entry: Entry) -> bytes:
        return self._storage.read_bytes(self._keys.kept_payload(entry.payload_key))

    def _keep(self, kind: Kind, content_hash: str, payload: bytes) -> str:
        key = self._keys.payload(kind, content_hash)
        if not self._storage.exists(key):
            self._storage.write_bytes(key, payload)
        return key

    def _is_ours(self, entry: Entry) -> bool:
        return (entry.sink, entry.organisation, entry.dataset, entry.day) == self._target

    def _write(self, entries: list[Entry]) -> None:
        self.check()
        self._storage.write_json(self.key, {"uploads": [asdict(entry) for entry in entries]})
