"""Files that may still have been growing while the pass read them.

A file that is no whole image may still be growing if it was written to within `images.settle_seconds`, or changed while it was read.
Such a file is looked at again when nobody has written to it for that long. If it has changed by then, the whole pass is made again.
So half a file is never taken, and the day is as if the pass had begun later. A whole image never makes the pass wait.
This is for folders; an object of S3 is whole from the start.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, TypeVar

from driftwatch.errors import DriftwatchError, MissingArtifact, OddEntry
from driftwatch.images.one_pass import Block
from driftwatch.images.outcome import DUPLICATE

if TYPE_CHECKING:
    from driftwatch.images.listing import ImageFolder

logger = logging.getLogger(__name__)

T = TypeVar("T")
# Files that still change after so many passes are quarantined as `still_growing`.
PASSES = 5


class FilesChanged(DriftwatchError):
    """Files have changed since the pass read them; `keys` names them."""

    def __init__(self, keys: frozenset[str]) -> None:
        super().__init__(f"{len(keys)} files have changed since they were read: {', '.join(sorted(keys)[:3])}")
        self.keys = keys


def until_settled(make_pass: Callable[[frozenset[str]], T]) -> T:
    """Makes the pass until no file has changed during it, and returns what it returned. `make_pass` gets the keys that it is to give up
    as `still_growing`."""
    given_up: frozenset[str] = frozenset()
    passes = 0
    while True:
        passes += 1
        try:
            return make_pass(given_up)
        except FilesChanged as found:
            logger.warning("%s; the pass is made again", found)
            if passes >= PASSES:
                given_up |= found.keys


def watched(
    folder: ImageFolder, blocks: Iterator[Block], given_up: frozenset[str] = frozenset()
) -> Generator[Block, None, None]:
    """The blocks of a pass. At its end it waits for files that may be growing, and raises FilesChanged where one has grown, or where a
    whole one was written to since the pass began. The keys `given_up` are not looked at."""
    settle = folder.settings.settle_seconds
    started = time.time()
    read: dict[str, str | None] = {}  # what is to be compared, by key
    growing: list[str] = []
    for block in blocks:
        for key, found, whole in _looked_at(block):
            age, passed = _age(folder, key), time.time() - started
            if key in given_up or age is None:
                continue
            if whole and age < passed:
                read[key] = found
            elif not whole and -settle < age < settle + passed:
                read[key] = found
                growing.append(key)
        yield block
    ages = [age for key in growing if (age := _age(folder, key)) is not None]
    pause = max((settle - age for age in ages), default=0)
    if pause > 0:
        logger.info(
            "%d files may still be growing (images.settle_seconds): looking again in %.0f s", len(growing), pause
        )
        time.sleep(min(pause, settle))
    changed = frozenset(key for key, found in read.items() if _hash(folder, key) != found)
    if changed:
        raise FilesChanged(changed)


def _looked_at(block: Block) -> Iterator[tuple[str, str | None, bool]]:
    """Of every object that was read: its key, its image id (None if it changed while it was read), and whether it is a whole image."""
    table = block.manifest.select(["key", "image_id", "status", "reason"])
    for key, image_id, status, reason in zip(*(column.to_pylist() for column in table.columns), strict=True):
        if image_id is not None or reason.startswith("still_growing"):
            yield key, image_id, status == DUPLICATE or not reason


def _age(folder: ImageFolder, key: str) -> float | None:
    """Seconds since the file was last written to, by this machine's clock. None on S3, and for a file that is gone."""
    modified = folder.modified(key)
    return None if modified is None else time.time() - modified


def _hash(folder: ImageFolder, key: str) -> str:
    """The sha256 of the file as it is now; empty where it is gone, or no file any more."""
    try:
        return hashlib.sha256(folder.read(key)).hexdigest()
    except (OddEntry, MissingArtifact):
        return ""
