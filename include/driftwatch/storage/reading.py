"""One object read in several parts: all of them are of the same object, also where another replaces it meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from driftwatch.errors import ReplacedMeanwhile
from driftwatch.storage.entries import Replaced
from driftwatch.storage.kind import Kind

T = TypeVar("T")


class Reading:
    """An object whose parts are read one by one (`Storage.reading`). Every call raises MissingArtifact where there is no object, and
    ReplacedMeanwhile where the object that was opened can no longer be read."""

    def __init__(self, storage: Kind, key: str, size: int | None) -> None:
        self._storage, self._key, self._told = storage, key, size
        path = storage.path(key)
        self._opened = self._calling(lambda: storage._open(path))

    def size(self) -> int:
        """The object's bytes."""
        return self._calling(self._opened.size) if self._told is None else self._told

    def range(self, start: int, end: int) -> bytes:
        """The object's bytes from `start` to before `end`."""
        if start >= end:
            return b""

        def read() -> bytes:
            data = self._opened.read(start, end)
            if self._told not in (None, self._opened.size()):
                raise Replaced
            return data

        return self._calling(read)

    def _calling(self, call: Callable[[], T]) -> T:
        try:
            return self._storage._calling("read", self._key, call)
        except Replaced:
            raise ReplacedMeanwhile(
                f"{self._storage.url(self._key)} was replaced while it was read: run the task again, or load the page again, and the new one "
                "is read"
            ) from None

    def __enter__(self) -> Reading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()
