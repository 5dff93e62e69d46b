"""Reads many objects at once, in order, a few ahead of the consumer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True)
class Fetched:
    """One object that was asked for. `error`: what reading it raised, if anything; one lost object does not lose the others."""

    key: str
    content: bytes = b""
    error: Exception | None = None

    @property
    def data(self) -> bytes:
        """The object's bytes. Raises `error` where it could not be read."""
        if self.error is not None:
            raise self.error
        return self.content


# Seconds. A file that the system has in memory takes a tenth of it, one of a network's file system several times as long.
_QUICK = 0.25e-3


def read_in_place(
    keys: Sequence[str], read: Callable[[str], bytes], at_once: int, turn: int
) -> Generator[Fetched, None, None]:
    """As `read_ahead`, but in the caller's own thread as long as objects are read in less time than threads take to wake each other
    up. From the first `at_once` objects on that took longer in the mean, threads read ahead."""
    for start in range(0, len(keys), at_once):
        began = time.perf_counter()
        found = [_fetched(read, key) for key in keys[start : start + at_once]]
        quick = time.perf_counter() - began < _QUICK * len(found)
        yield from found
        if not quick:
            yield from read_ahead(keys[start + at_once :], read, at_once, turn)
            return


def read_ahead(
    keys: Sequence[str], read: Callable[[str], bytes], at_once: int, turn: int
) -> Generator[Fetched, None, None]:
    """Each key's object, in the order of `keys`.

    At most `at_once` objects are in memory beyond the consumer's own; a thread reads `turn` of them one after the other.
    """

    def fetch(some: Sequence[str]) -> Sequence[Fetched]:
        return [_fetched(read, key) for key in some]

    turns = (keys[start : start + turn] for start in range(0, len(keys), turn))
    waiting: deque[Future[Sequence[Fetched]]] = deque()
    pool = ThreadPoolExecutor(max_workers=min(at_once // turn, 16))
    try:
        for following in islice(turns, at_once // turn):
            waiting.append(pool.submit(fetch, following))
        while waiting:
            found = waiting.popleft().result()
            for following in islice(turns, 1):
                waiting.append(pool.submit(fetch, following))
            yield from found
    finally:
        # Without waiting: who ends early need not wait for reads that nobody wants.
        pool.shutdown(wait=False, cancel_futures=True)


def _fetched(read: Callable[[str], bytes], key: str) -> Fetched:
    try:
        return Fetched(key, read(key))
    except Exception as error:
        return Fetched(key, error=error)
