"""The upload ledger: a JSON file beside the day's artifacts that says what was published where.

Each upload is an entry; its sink, organisation, dataset, day, kind, reference and revision tell it from others. Its states:

    pending    nothing has been sent with the entry's present idempotency key
    sending    a slot is reserved, under `upload_id`; what was sent may have arrived
    done       it has arrived
    waiting    it is to be sent once the sink has deleted the day (a revision or a repair)
    replaced   an older revision; kept as history

The payload is kept beside the ledger before the first try, so that every retry sends the same bytes and a revision of one
kind of profile can send the other again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts import base
from driftwatch.artifacts.nested_keys import LedgerKeys, lock_of
from driftwatch.artifacts.publishing import ProfileKind, Upload, UploadLedger
from driftwatch.publish.base import Sink
from driftwatch.storage.lock import Lock, exclusive

if TYPE_CHECKING:
    from driftwatch.storage import Storage

_LIVE = ("pending", "sending", "done", "waiting")


def altered(entry: Upload, **fields: Any) -> Upload:
    """The entry with other fields."""
    return entry.model_copy(update=fields)


class Ledger:
    """The entries of one sink's dataset and day in a ledger file, which other sinks share.

    Every change reads the file and writes it whole, so the caller must hold `locked` meanwhile: two runs of one day may publish
    its features and its performance at the same moment.
    """

    def __init__(self, storage: Storage, key: str, sink: Sink, day: date) -> None:
        self.key = key
        self._storage, self._keys = storage, LedgerKeys(key)
        self._target = (sink.name, sink.organisation, sink.dataset, day)
        self._lock: Lock | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out while the entries are read, changed and sent."""
        with exclusive(self._storage, lock_of(self.key)) as self._lock:
            yield

    def check(self) -> None:
        """Raises LockLost unless the ledger is still ours; before whatever is sent or written."""
        if self._lock is None:
            raise RuntimeError("a ledger is changed within `locked` alone: open `with ledger.locked()` first")
        self._lock.check()

    def entries(self) -> list[Upload]:
        """Everything in the file, in the order in which it was first written."""
        found = base.find(self._storage, self.key, UploadLedger)
        return list(found.uploads) if found else []

    def live(self) -> list[Upload]:
        """What counts at this sink now, or is about to."""
        return [e for e in self.entries() if self._is_ours(e) and e.state in _LIVE]

    def current(self, kind: ProfileKind, reference: str | None) -> Upload | None:
        """The live upload of this kind and, of a reference, of this model version."""
        return next((e for e in self.live() if (e.kind, e.reference) == (kind, reference)), None)

    def add(self, kind: ProfileKind, reference: str | None, content_hash: str, payload: bytes) -> Upload:
        """A pending entry for a kind that has none, in the day's present revision."""
        sink, organisation, dataset, day = self._target
        entry = Upload(
            sink=sink,
            organisation=organisation,
            dataset=dataset,
            day=day,
            kind=kind,
            reference=reference,
            content_hash=content_hash,
            payload_key=self._keep(kind, content_hash, payload),
            revision=max((e.revision for e in self.live()), default=1),
            attempt=1,
            state="pending",
            upload_id=None,
            resent=False,
        )
        self._write([*self.entries(), entry])
        return entry

    def replace_day(self, kind: ProfileKind, content_hash: str, payload: bytes) -> None:
        """In one write: the day's live uploads become history, and wait to be sent again, the one of `kind` with new
        content. References do not belong to a day and stay."""
        payload_key = self._keep(kind, content_hash, payload)
        entries, waiting = [], []
        revision = 1 + max(e.revision for e in self.entries() if self._is_ours(e))
        for entry in self.entries():
            if self._is_ours(entry) and entry.state in _LIVE and entry.kind != "reference":
                again = altered(entry, revision=revision, attempt=1, state="waiting", upload_id=None, resent=True)
                if entry.kind == kind:
                    again = altered(again, content_hash=content_hash, payload_key=payload_key)
                waiting.append(again)
                entry = altered(entry, state="replaced")
            entries.append(entry)
        self._write(entries + waiting)

    def change(self, *entries: Upload) -> None:
        """Writes entries in their new state, in one write."""
        new = {entry.identity: entry for entry in entries}
        self._write([new.get(entry.identity, entry) for entry in self.entries()])

    def payload(self, entry: Upload) -> bytes:
        """The bytes to send: those of the first try."""
        return self._storage.read_bytes(self._keys.kept_payload(entry.payload_key))

    def has_payload(self, entry: Upload) -> bool:
        """Whether the bytes to send are there. Those of a day long ago may be gone by `storage.keep.profiles`."""
        return self._storage.exists(self._keys.kept_payload(entry.payload_key))

    def keep_payload(self, entry: Upload, payload: bytes) -> None:
        """Keeps the bytes of an entry of the same content anew."""
        self._storage.write_bytes(self._keys.kept_payload(entry.payload_key), payload)

    def _keep(self, kind: ProfileKind, content_hash: str, payload: bytes) -> str:
        key = self._keys.payload(kind, content_hash)
        if not self._storage.exists(key):
            self._storage.write_bytes(key, payload)
        return key

    def _is_ours(self, entry: Upload) -> bool:
        return (entry.sink, entry.organisation, entry.dataset, entry.day) == self._target

    def _write(self, entries: list[Upload]) -> None:
        self.check()
        base.write(self._storage, self.key, UploadLedger(uploads=tuple(entries)))
