"""A sink that counts, a storage without a disk, and a tap that kills: what the ledger's tests publish with."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from datetime import date

from driftwatch.errors import MissingArtifact
from driftwatch.publish.base import Slot
from driftwatch.publish.errors import KeyAlreadyUsed
from driftwatch.publish.upload import Profile, publish
from driftwatch.storage import Storage, Stored

DAY = date(2026, 1, 2)
KEY = "cats/days/2026-01-02/published.json"
A, B, P = b"features A", b"features B", b"performance P"


class Killed(BaseException):
    """The process ends here."""


class CountingSink:
    """Keeps each upload by its id, as WhyLabs' merged day does; `keys` says what a repeated idempotency key gets."""

    name, organisation, dataset = "whylabs", "org-1", "model-1"

    def __init__(self, keys: str = "replay", deletes_after: int = 0, delete_wait_seconds: float = 60) -> None:
        self.keys = keys
        self.deletes_after = deletes_after
        self.delete_wait_seconds = delete_wait_seconds
        self.slots: dict[str, str] = {}
        self.received: dict[str, bytes] = {}
        self.kinds: dict[str, str] = {}
        self.polls_left: int | None = None
        self._ids = itertools.count(1)

    def reserve(self, kind, day, idempotency_key, reference):
        if idempotency_key in self.slots and self.keys == "refuse":
            raise KeyAlreadyUsed("Failed Idempotent request")
        if idempotency_key not in self.slots or self.keys == "forget":
            self.slots[idempotency_key] = f"log-{next(self._ids)}"
        self.kinds[self.slots[idempotency_key]] = kind
        return Slot(self.slots[idempotency_key], "secret")

    def send(self, slot, payload):
        self.received[slot.upload_id] = payload

    def delete_day(self, day):
        self.polls_left = self.deletes_after

    def day_is_empty(self, day):
        if self.polls_left is not None:
            self.polls_left -= 1
            if self.polls_left < 0:
                self.received.clear()
                self.polls_left = None
        return self.polls_left is None and not self.received

    def counts_already(self, kind, day):
        return kind != "reference" and kind in {self.kinds[upload_id] for upload_id in self.received}

    def counted(self) -> Counter[bytes]:
        return Counter(self.received.values())


class Tapped:
    """Passes calls on, and counts those that touch the outside; the `fatal`-th kills, before or after its effect."""

    def __init__(self, target, taps: list[str], names: set[str], fatal: tuple[int, str] | None) -> None:
        self._target, self._taps, self._names, self._fatal = target, taps, names, fatal

    def __getattr__(self, name):
        found = getattr(self._target, name)
        if name not in self._names:
            return found

        def call(*args, **kwargs):
            self._taps.append(name)
            here = len(self._taps) - 1
            if self._fatal == (here, "before"):
                raise Killed
            result = found(*args, **kwargs)
            if self._fatal == (here, "after"):
                raise Killed
            return result

        return call


class MemoryStorage:
    """What the ledger uses of `Storage`, without a disk: the kill tests run through hundreds of days."""

    uri = "memory://"

    never = Storage.never

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def local_path(self, key):
        return None

    def exists(self, key):
        return key in self._files

    def read_bytes(self, key):
        if key not in self._files:
            raise MissingArtifact(f"{self.url(key)} does not exist")
        return self._files[key]

    def url(self, key):
        return f"{self.uri}{key}"

    def parsed(self, key, what, parse):
        return parse()

    def write_bytes(self, key, data):
        self._files[key] = data

    def read_stored(self, key):
        return Stored(self._files[key]) if key in self._files else None

    def replace(self, key, data, found):
        if self.read_stored(key) != found:
            return None
        self._files[key] = data
        return Stored(data)

    def delete(self, key):
        self._files.pop(key, None)

    def read_json(self, key):
        return json.loads(self.read_bytes(key))

    def write_json(self, key, value):
        self._files[key] = json.dumps(value).encode()


def hash_of(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def send(storage, sink, payload=A, kind="features", **more):
    profile = Profile(kind, DAY, payload, hash_of(payload))
    return publish(storage, KEY, sink, profile, sleep=lambda seconds: None, **more)
