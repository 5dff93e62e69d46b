"""Artifacts as the pages read them: kept in memory until the stored object changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from driftwatch.errors import MissingArtifact
from driftwatch.storage import Storage

_KEPT = 20_000
_AT_ONCE = 16


class Artifacts:
    """Reads through a cache of what `read` made of each object; one that was replaced (`Storage.stamp`) is read anew.

    Safe for the threads of one process. The least recently used of more than `kept` objects are forgotten.
    """

    def __init__(self, storage: Storage, kept: int = _KEPT) -> None:
        self.storage = storage
        self._kept = kept
        self._held: OrderedDict[tuple[str, str], tuple[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, read: Callable[[Storage, str], Any]) -> Any:
        """What `read(storage, key)` makes of the object, or None where there is none. Raises what `read` raises."""
        stamp = self.storage.stamp(key)
        if stamp is None:
            return None
        name = (key, read.__qualname__)
        with self._lock:
            held = self._held.get(name)
            if held and held[0] == stamp:
                self._held.move_to_end(name)
                return held[1]
        try:
            value = read(self.storage, key)
        except MissingArtifact:  # deleted since
            return None
        with self._lock:
            self._held[name] = (stamp, value)
            while len(self._held) > self._kept:
                self._held.popitem(last=False)
        return value

    def get_many(self, wanted: Sequence[tuple[str, Callable[[Storage, str], Any]]]) -> list[Any]:
        """`get` of each; on S3 many at a time, since each is a round trip. An exception stands in the place of its value."""

        def one(item: tuple[str, Callable[[Storage, str], Any]]) -> Any:
            try:
                return self.get(*item)
            except Exception as error:  # shown on the page, beside what could be read
                return error

        if not self.storage.remote:
            return [one(item) for item in wanted]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(one, wanted))
