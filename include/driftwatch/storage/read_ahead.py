"""Reads many objects at once, in order, a few ahead of the consumer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice, pairwise
from statistics import median
from threading import Condition, Thread
from typing import NamedTuple


class Fetched(NamedTuple):
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


# So many seconds a consumer that ends early waits for the thread, which may be in the middle of a request.
_LEAVING = 1.0
# Seconds. A file that the system has in memory takes a tenth of it, a file of a network's file system several times as long.
_QUICK = 0.25e-3


def read_in_place(
    keys: Sequence[str], read: Callable[[str], bytes], at_once: int, turn: int
) -> Generator[Fetched, None, None]:
    """As `read_ahead`, but in the caller's own thread as long as that is quick: threads take time to wake each other up. Once half of
    `at_once` objects took longer than that, threads read the rest ahead. (A few slow ones may have waited for other threads.)"""
    for start in range(0, len(keys), at_once):
        found, times = [], [time.perf_counter()]
        for key in keys[start : start + at_once]:
            found.append(fetched(read, key))
            times.append(time.perf_counter())
        yield from found
        found.clear()  # before threads read ahead, to the end
        if median(end - begin for begin, end in pairwise(times)) >= _QUICK:
            yield from read_ahead(keys[start + at_once :], read, at_once, turn)
            return


def read_ahead(
    keys: Sequence[str], read: Callable[[str], bytes], at_once: int, turn: int
) -> Generator[Fetched, None, None]:
    """Each key's object, in the order of `keys`.

    At most `at_once` objects are in memory beyond the consumer's own; a thread reads `turn` of them one after the other.
    """

    def fetch(some: Sequence[str]) -> Sequence[Fetched]:
        return [fetched(read, key) for key in some]

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


def in_a_thread(
    found: Generator[Fetched, None, None], most: int, most_bytes: int = 2**25
) -> Generator[Fetched, None, None]:
    """What `found` gives, fetched by a thread of its own. The thread is ahead of the consumer by at most `most` objects, and pauses after the
    object with which they have more than `most_bytes`.

    `found` is closed when this generator ends, is closed, or raises. A consumer that ends early waits for that for a moment only.
    """
    ahead = _Ahead(found, most, most_bytes)
    thread = Thread(target=ahead.fill, daemon=True)
    thread.start()
    try:
        while (one := ahead.next()) is not None:
            yield one
    finally:
        ahead.leave()
        thread.join(_LEAVING)


class _Ahead:
    """What lies between a thread that fetches and the consumer."""

    def __init__(self, found: Generator[Fetched, None, None], most: int, most_bytes: int) -> None:
        self._found, self._most, self._most_bytes = found, most, most_bytes
        self._ahead: deque[Fetched] = deque()
        self._bytes, self._ended, self._left = 0, False, False
        self._error: BaseException | None = None
        self._changed = Condition()

    def fill(self) -> None:
        try:
            for one in self._found:
                with self._changed:
                    self._ahead.append(one)
                    self._bytes += len(one.content)
                    self._changed.notify()
                    self._changed.wait_for(self._has_room)
                if self._left:
                    break
        except BaseException as error:
            self._error = error  # raised by the consumer's thread
        finally:
            self._found.close()
            with self._changed:
                self._ended = True
                self._changed.notify()

    def _has_room(self) -> bool:
        return self._left or (len(self._ahead) < self._most and self._bytes < self._most_bytes)

    def next(self) -> Fetched | None:
        """The next object, None after the last. Raises what fetching raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._ahead or self._ended)
            if self._ahead:
                one = self._ahead.popleft()
                self._bytes -= len(one.content)
                self._changed.notify()
                return one
        if self._error is not None:
            raise self._error
        return None

    def leave(self) -> None:
        with self._changed:
            self._left = True
            self._changed.notify()


def fetched(read: Callable[[str], bytes], key: str) -> Fetched:
    """The object as `read` reads it, or its error."""
    try:
        return Fetched(key, read(key))
    except Exception as error:
        return Fetched(key, error=error)
