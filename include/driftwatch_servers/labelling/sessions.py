"""Logins of the labelling page. Each login is a session, which is kept as a hash. Wrong guesses are limited."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

HOURS = 12


@dataclass(frozen=True)
class Session:
    """A login as it is kept: the hash of the cookie's value, the person's name, and its end in Unix seconds."""

    hash: str
    name: str
    until: float


class SessionStore(Protocol):
    """Keeps sessions, also over a restart. Calls come from several threads at once."""

    def get(self, session_hash: str) -> Session | None:
        """The session with this hash."""

    def add(self, session: Session, now: float) -> None:
        """Keeps a new session, and removes those that have ended at `now` (Unix seconds)."""

    def remove(self, session_hash: str) -> None:
        """Removes a session. Does nothing if it is not there."""


class Sessions:
    """Who is logged in. The cookie's value is random and says nothing of the token. The store holds only its hash."""

    def __init__(self, store: SessionStore, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock

    def open(self, name: str) -> str:
        """A new session's secret."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        self._store.add(Session(_hash(secret), name, now + HOURS * 3600), now)
        return secret

    def name(self, secret: str) -> str | None:
        """The name of the person whose session it is. None if it is unknown or has ended."""
        found = self._store.get(_hash(secret)) if secret else None
        return found.name if found and found.until > self._clock() else None

    def close(self, secret: str) -> None:
        """Ends the session. Its cookie lets nobody in from now on."""
        self._store.remove(_hash(secret))


class Guesses:
    """Counts wrong tokens. After `most` of them within `seconds` from one address, that address must wait. After ten times as many from all
    addresses together, everybody must wait."""

    def __init__(self, most: int = 10, seconds: float = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._wrong: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 if it may try now."""
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


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
