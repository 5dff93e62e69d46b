"""Reading many objects at once, in order, a few ahead of who uses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice


def read_ahead(
    keys: Sequence[str], read: Callable[[str], bytes], at_once: int, turn: int
) -> Generator[tuple[str, bytes | Exception], None, None]:
    """Each key with its bytes, or with the exception that reading it raised, so that one lost object does not lose the others.

    At most `at_once` objects are in memory beyond the consumer's own; a thread reads `turn` of them one after the other.
    """

    def fetch(some: Sequence[str]) -> Sequence[bytes | Exception]:
        return [_read_or_error(read, key) for key in some]

    turns = (keys[start : start + turn] for start in range(0, len(keys), turn))
    waiting: deque[tuple[Sequence[str], Future[Sequence[bytes | Exception]]]] = deque()
    pool = ThreadPoolExecutor(max_workers=min(at_once // turn, 16))
    try:
        for following in islice(turns, at_once // turn):
            waiting.append((following, pool.submit(fetch, following)))
        while waiting:
            fetched, future = waiting.popleft()
            found = future.result()
            for following in islice(turns, 1):
                waiting.append((following, pool.submit(fetch, following)))
            yield from zip(fetched, found, strict=True)
    finally:
        # Never waiting: garbage collection may close this on the thread that the reads under way need.
        pool.shutdown(wait=False, cancel_futures=True)


def _read_or_error(read: Callable[[str], bytes], key: str) -> bytes | Exception:
    try:
        return read(key)
    except Exception as error:
        return error
