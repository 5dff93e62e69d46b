"""Logins of the labelling page: a session of its own for each, kept as a hash, and a limit on wrong guesses."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

from driftwatch_sandbox.toloka.store import Store

_KIND = "sessions"
HOURS = 12


class Sessions:
    """Who is logged in. The cookie's value is random and tells no token; the store holds its hash alone."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

    def open(self, name: str) -> str:
        """A new session's secret. Sessions that have ended are removed."""
        session, now = secrets.token_urlsafe(32), self._clock()
        with self._store.transaction():
            for ended in self._store.find(_KIND, []):
                if ended["until"] <= now:
                    self._store.delete(_KIND, ended["id"])
            self._store.put(_KIND, {"id": _hash(session), "name": name, "until": now + HOURS * 3600})
        return session

    def name(self, session: str) -> str | None:
        """Whose session it is; None for one that is unknown or has ended."""
        found = self._store.get(_KIND, _hash(session)) if session else None
        return found["name"] if found and found["until"] > self._clock() else None

    def close(self, session: str) -> None:
        """Ends the session; its cookie is worth nothing from now on."""
        with self._store.transaction():
            self._store.delete(_KIND, _hash(session))


class Guesses:
    """Counts wrong tokens: `most` within `seconds` from one address, ten times as many from all, then nobody is heard for a while."""

    def __init__(self, most: int = 10, seconds: float = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._wrong: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 where it may now."""
        with self._lock:
            return max(self._left(address, self._most), self._left("", 10 * self._most))

    def wrong(self, address: str) -> None:
        """Notes a wrong token."""
        now = self._clock()
        with self._lock:
            for key in [key for key, times in self._wrong.items() if not times or times[-1] <= now - self._seconds]:
                del self._wrong[key]
            for key, most in ((address, self._most), ("", 10 * self._most)):
                self._wrong.setdefault(key, deque(maxlen=most)).append(now)

    def _left(self, key: str, most: int) -> float:
        times = self._wrong.get(key)
        return max(0.0, times[0] + self._seconds - self._clock()) if times and len(times) >= most else 0.0


def _hash(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
