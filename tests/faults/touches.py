"""The points at which a day touches the outside, by names that are the same for each case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from driftwatch.outside import watching

_IDS = re.compile(r"(?<=/)([0-9a-f-]{20,}|\d+|log-\w+)(?=/|$)|[0-9a-f]{64}|\d{4}-\d\d-\d\d")


def call_of(touched: str) -> str:
    """A point of the seam without what differs from case to case: `toloka POST /api/v1/pools/{}/open`."""
    name = re.sub(r"case\d+(-[a-z-]+)?", "{monitor}", touched)
    return _IDS.sub("{}", name)


@contextmanager
def noticing(note: Callable[[str], object]) -> Iterator[None]:
    """Calls `note` with each point before it is touched.

    A call that asks once more what the one before it asked is no point of its own: while an operation is under way, it depends on how
    busy the machine is how often that happens.
    """
    last = ""

    def watch(moment: str, what: str) -> None:
        nonlocal last
        if moment == "before":
            before, last = last, call_of(what)
            if last != before or " GET " not in last:
                note(last)

    with watching(watch):
        yield


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The points that are touched meanwhile, in order."""
    points: list[str] = []
    with noticing(points.append):
        yield points
