"""How much memory the pictures that are being decoded may take together."""

from __future__ import annotations

from threading import Condition


class Room:
    """`size` bytes that threads share. A thread that needs more than is free waits until others are done. One that needs more than
    `size` waits until it is alone."""

    def __init__(self, size: int) -> None:
        self._size, self._taken, self._waiting = size, 0, 0
        self._changed = Condition()

    def take(self, needed: int) -> int:
        """How many bytes are taken; `give` them back in any case."""
        needed = min(needed, self._size)
        with self._changed:
            self._waiting += 1
            while self._taken + needed > self._size:
                self._changed.wait()
            self._waiting -= 1
            self._taken += needed
        return needed

    def give(self, taken: int) -> None:
        with self._changed:
            self._taken -= taken
            if self._waiting:
                self._changed.notify_all()
