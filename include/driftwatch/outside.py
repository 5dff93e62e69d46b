"""The seam at which Driftwatch touches the outside: every artifact written and every request sent passes through `touching`.

In production nobody watches. A test watches a faultless run to learn which points there are, and then stops the process at each of
them, before or after its effect.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

Watcher = Callable[[Literal["before", "after"], str], None]


class Watchers:
    """Who is told of the touches of a process. There is one for each process, `touching` and `watching` below, and a forked child has
    those of its parent.

    It belongs to the process and not to a context variable, since a task touches the outside from several threads (the beat of a lock,
    uploads at once), and new threads start with an empty context: their touches would be missed without a word.
    """

    def __init__(self) -> None:
        self._all: tuple[Watcher, ...] = ()
        self._change = threading.Lock()

    @contextmanager
    def watching(self, watch: Watcher) -> Iterator[None]:
        """Calls `watch` before and after every touch, in the thread that touches, until the block ends. What it raises ends the touch."""
        with self._change:
            self._all = (*self._all, watch)
        try:
            yield
        finally:
            with self._change:
                left = list(self._all)
                left.remove(watch)
                self._all = tuple(left)

    @contextmanager
    def touching(self, what: str) -> Iterator[None]:
        """`what`: `<service> <verb> <target>`, like `storage write labels.parquet` or `toloka POST /api/v1/pools`."""
        for watch in self._all:
            watch("before", what)
        yield
        for watch in self._all:
            watch("after", what)


_process = Watchers()
touching, watching = _process.touching, _process.watching


# How often this process has asked a service again, by its name. A task is a process of its own.
_repeats: Counter[str] = Counter()
_counting = threading.Lock()


def note_repeat(service: str) -> None:
    """Counts one call that is sent again since it failed for a moment."""
    with _counting:
        _repeats[service] += 1


def repeats() -> Mapping[str, int]:
    """How often each service was asked again by this process so far."""
    with _counting:
        return dict(_repeats)
