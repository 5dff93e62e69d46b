"""An object of an object store, of which several parts are read."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from driftwatch.storage.entries import Opened, Replaced
from driftwatch.storage.errors import answer_of

_NOTHING_THERE = 416  # a range begins at the object's end, or after it


class OpenObject(Opened):
    """The object of the first answer. Later requests ask for that version alone. Every answer is also compared with the first, since not every
    server knows the condition."""

    def __init__(self, store: Any, key: str) -> None:
        self._store, self._key = store, key
        self._first: Any = None

    def size(self) -> int:
        self._first = self._first or head(self._store, self._key)
        return int(self._first["size"])

    def read(self, start: int, end: int) -> bytes:
        from obstore.exceptions import PreconditionError

        if self._first and start >= self._first["size"]:
            return b""
        version = self._first["e_tag"] if self._first else None
        # A weak ETag, as a proxy may make of it, matches no condition.
        wanted = {"if_match": version} if version and not version.startswith("W/") else {}
        try:
            answer = self._store.get(self._key, options={"range": (start, end), **wanted})
        except PreconditionError:
            raise Replaced from None
        except Exception as error:
            if answer_of(error).status != _NOTHING_THERE:
                raise
            return b""
        self._first = self._first or answer.meta
        if (stamp_of(answer.meta), answer.meta["size"]) != (stamp_of(self._first), self._first["size"]):
            raise Replaced
        return answer.bytes().to_bytes()

    def close(self) -> None:
        """Nothing is open between two requests."""


def head(store: Any, key: str) -> Any:
    """What the store says of an object, as obstore's ObjectMeta. Raises FileNotFoundError, or the error that says that there is no bucket."""
    found = None
    with suppress(FileNotFoundError):
        found = store.head(key)
    # The answer to a HEAD does not say whether there is a bucket.
    return found or store.get(key).meta


def stamp_of(found: Any) -> str | None:
    """An object's ETag. Azure's listings have it without the quotes that all else has."""
    return found["e_tag"].strip('"') if found["e_tag"] else None
