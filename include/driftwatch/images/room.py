"""How much memory the pictures that are being decoded may take together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Room:
    """`size` bytes that threads share. A thread that needs more than is free waits until others are done. One that needs more than
    `size` waits until it is alone."""

    def __init__(self, size: int) -> None:
        self._size, self._taken = size, 0
        self._changed = Condition()

    @contextmanager
    def taking(self, needed: int) -> Iterator[None]:
        needed = min(needed, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + needed <= self._size)
            self._taken += needed
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()
