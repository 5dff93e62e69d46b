"""Kills at every point at which a task touches the outside: each write and each delete, before and after its effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Literal

from driftwatch.outside import watching

When = Literal["before", "after"]


class Killed(BaseException):
    """The process is gone; what it would do while the exception passes does not happen either."""


def touches(work: Callable[[], object]) -> list[str]:
    """What `work` touches, in order: `storage write labels.parquet`."""
    found: list[str] = []

    def note(when: str, what: str) -> None:
        if when == "before":
            found.append(what)

    with watching(note):
        work()
    return found


def kills(touched: list[str]) -> Iterator[tuple[int, When]]:
    """Each place for `killed_at` in a work that touches so much."""
    yield from product(range(len(touched)), ("before", "after"))


def killed_at(number: int, when: When, work: Callable[[], object], may_end: bool = False) -> None:
    """Runs `work` until its touch `number`, from 0, and fails where it does not come so far; `may_end`: it asks until something is done,
    and may be done sooner this time."""
    count, dead = 0, False

    def die(moment: str, what: str) -> None:
        nonlocal count, dead
        if dead:
            raise Killed(what)
        if moment == when:
            dead, count = count == number, count + 1
            if dead:
                raise Killed(what)

    with watching(die):
        try:
            work()
        except Killed:
            return
    if may_end:
        return
    raise AssertionError(f"the work touched the outside {count} times and was not killed {when} touch {number}")
