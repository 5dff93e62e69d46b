"""How the pages read artifacts. An artifact is kept in memory until the stored object changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from driftwatch.artifacts import base
from driftwatch.errors import MissingArtifact

if TYPE_CHECKING:
    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.config import MonitorConfig
    from driftwatch.storage import Storage

T = TypeVar("T")
K = TypeVar("K")
A = TypeVar("A", bound=base.Artifact)
_KEPT = 20_000
_AT_ONCE = 16


@dataclass(frozen=True)
class Found(Generic[T]):
    """What was read from one object: its `value`, None if there is no object. Or the `problem`: why it cannot be read."""

    key: str
    value: T | None = None
    problem: Exception | None = None


class Artifacts:
    """A monitor's artifacts, read through a cache. An object that was replaced (`Storage.stamp`) is read again.

    Several threads of one process can use it. It keeps at most `kept` objects and forgets the least recently used ones.
    """

    def __init__(self, store: MonitorStore, kept: int = _KEPT) -> None:
        self.store = store
        self._kept = kept
        self._held: OrderedDict[tuple[str, str], tuple[object, Any]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def storage(self) -> Storage:
        return self.store.storage

    @property
    def keys(self) -> MonitorKeys:
        return self.store.keys

    @property
    def config(self) -> MonitorConfig:
        return self.store.config

    def get(self, key: str, read: Callable[[Storage, str], T]) -> T | None:
        """What `read(storage, key)` makes of the object, or None where there is none. Raises what `read` raises."""
        stamp = self.storage.stamp(key)
        if stamp is None:
            return None
        name = (key, read.__qualname__)
        kept: T | None = self.held(name, stamp)
        if kept is not None:
            return kept
        try:
            value = read(self.storage, key)
        except MissingArtifact:  # it was deleted meanwhile
            return None
        self.hold(name, stamp, value)
        return value

    def held(self, name: tuple[str, str], stamp: object) -> Any:
        """What `hold` was given under this name and this stamp; None where it was not, or was forgotten."""
        with self._lock:
            held = self._held.get(name)
            if held is None or held[0] != stamp:
                return None
            self._held.move_to_end(name)
            return held[1]

    def hold(self, name: tuple[str, str], stamp: object, value: object) -> None:
        """Keeps a value. `name`: what it was read from, and how; `stamp`: as that was before it was read."""
        with self._lock:
            self._held[name] = (stamp, value)
            while len(self._held) > self._kept:
                self._held.popitem(last=False)

    def find(self, key: str, kind: type[A]) -> A | None:
        """The artifact at `key`, or None if there is none. Raises the other errors of `artifacts.base.read`."""
        return self.get(key, reader(kind))

    def look(self, key: str, read: Callable[[Storage, str], T]) -> Found[T]:
        """Like `get`, but it returns the reason instead of raising. A page shows the reason beside what could be read."""
        try:
            return Found(key, self.get(key, read))
        except Exception as error:
            return Found(key, problem=error)

    def look_at_each(self, wanted: Sequence[tuple[str, Callable[[Storage, str], Any]]]) -> list[Found[Any]]:
        """`look` at each."""
        return self.of_each(lambda item: self.look(*item), wanted)

    def of_each(self, call: Callable[[K], T], wanted: Sequence[K]) -> list[T]:
        """What `call` gives for each. On S3 many are called at a time, since each needs a round trip."""
        if not self.storage.remote:
            return [call(item) for item in wanted]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(call, wanted))


def reader(kind: type[A], light: Callable[[A], A] | None = None) -> Callable[[Storage, str], A]:
    """A function that reads an artifact of this kind. `light` removes what the pages do not show, so that a year of days needs less memory."""

    def read(storage: Storage, key: str) -> A:
        found = base.read(storage, key, kind)
        return light(found) if light else found

    read.__qualname__ = f"{kind.__qualname__}{'' if light is None else ' ' + light.__qualname__}"
    return read
