"""Files of a file system that were perhaps still being written while the pass read them.

One that was written to within `images.settle_seconds`, or that changed while it was read, and that is no whole image is looked
at again when it has rested for that long. Where one has changed by then the pass is made anew, so that a half file is never
taken, and the day comes out as if the pass had begun later. One that is whole waits for nothing: a day whose files
have rested, or are good, is not held up. On S3 an object is whole from the start.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, TypeVar

from driftwatch.errors import DriftwatchError, MissingArtifact, OddEntry
from driftwatch.images.one_pass import DUPLICATE, Block

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig
    from driftwatch.storage import Storage

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
    """What `make_pass` returns once no file has changed behind it. It gets the keys that it is to give up as `still_growing`."""
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
    storage: Storage, folder: str, images: ImagesConfig, given_up: frozenset[str], blocks: Iterator[Block]
) -> Generator[Block, None, None]:
    """The blocks of a pass; at its end waits for files that may be growing, and raises FilesChanged where one did, or where a
    whole one was written to since the pass began."""
    started = time.time()
    read: dict[str, str | None] = {}  # what is to be compared, by key
    growing: list[str] = []
    for block in blocks:
        for key, found, whole in _looked_at(block):
            age, passed = _age(storage, key), time.time() - started
            if key in given_up or age is None:
                continue
            if whole and age < passed:
                read[key] = found
            elif not whole and -images.settle_seconds < age < images.settle_seconds + passed:
                read[key] = found
                growing.append(key)
        yield block
    ages = [age for key in growing if (age := _age(storage, key)) is not None]
    pause = max((images.settle_seconds - age for age in ages), default=0)
    if pause > 0:
        logger.info(
            "%d files may still be growing (images.settle_seconds): looking again in %.0f s", len(growing), pause
        )
        time.sleep(min(pause, images.settle_seconds))
    changed = frozenset(key for key, found in read.items() if _hash(storage, key, folder, images) != found)
    if changed:
        raise FilesChanged(changed)


def _looked_at(block: Block) -> Iterator[tuple[str, str | None, bool]]:
    """Key, image id (none where it changed while it was read) and whether it is a whole image, of all that was read."""
    table = block.manifest.select(["key", "image_id", "status", "reason"])
    for key, image_id, status, reason in zip(*(column.to_pylist() for column in table.columns), strict=True):
        if image_id is not None or reason.startswith("still_growing"):
            yield key, image_id, status == DUPLICATE or not reason


def _age(storage: Storage, key: str) -> float | None:
    """Seconds since the file was written to, by this machine's clock; none on S3, and for a file that is gone."""
    modified = storage.modified(key)
    return None if modified is None else time.time() - modified


def _hash(storage: Storage, key: str, folder: str, images: ImagesConfig) -> str | None:
    try:
        return hashlib.sha256(storage.read_foreign(key, folder, images.max_bytes)).hexdigest()
    except (OddEntry, MissingArtifact):
        return ""
