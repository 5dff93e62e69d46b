"""The bytes of a folder's objects, in order, or why an object is not read.

One odd entry is one row, never the day; and what is wrong with the storage is never an image's fault. So an object is rejected where
it is gone, no regular file, or refused or damaged while another of the same folder can be read; whatever else goes wrong (a
storage that refuses all, credentials that end, a storage that stays away) is raised, and names the object.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from driftwatch.errors import DamagedFile, MissingArtifact, OddEntry, StorageRefused
from driftwatch.images.headers import RejectedImage
from driftwatch.images.listing import ignored_by

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig
    from driftwatch.storage import Storage, StoredObject

logger = logging.getLogger(__name__)

# How many others are tried before all are taken to be refused.
_WITNESSES = 20


class Ignored(NamedTuple):
    """`pattern`: the one of `images.ignore` that the object matches."""

    pattern: str


def fetch(
    storage: Storage,
    objects: Sequence[StoredObject],
    images: ImagesConfig,
    folder: str,
    given_up: Collection[str] = (),
) -> Generator[tuple[StoredObject, bytes | RejectedImage | Ignored], None, None]:
    """Each object with its bytes, why it is rejected unread, or that it is ignored. Close it where it is not used up."""

    def read(key: str) -> bytes:
        return storage.read_foreign(key, folder, images.max_bytes)

    unread = {item.key: why for item in objects if (why := _not_to_be_read(item, images, folder, given_up))}
    wanted = [item.key for item in objects if item.key not in unread]
    readable = None
    with closing(storage.iter_bytes(wanted, read=read)) as fetched:
        for item in objects:
            if item.key in unread:
                yield item, unread[item.key]
                continue
            found = next(fetched)
            if found.error is None:
                readable = item.key
                yield item, found.data
            else:
                yield item, _rejected(storage, item.key, found.error, [readable] if readable else wanted, read)


def _not_to_be_read(
    item: StoredObject, images: ImagesConfig, folder: str, given_up: Collection[str]
) -> RejectedImage | Ignored | None:
    pattern = ignored_by(item.key, folder, images.ignore)
    if pattern is not None:
        return Ignored(pattern)
    if item.key in given_up:
        return RejectedImage("still_growing", "kept changing; clear ingest_images when it is whole")
    if item.size > images.max_bytes:
        return RejectedImage("too_many_bytes", f"has {item.size} bytes; images.max_bytes is {images.max_bytes}")
    return None


def _rejected(
    storage: Storage, key: str, error: Exception, others: Sequence[str], read: Callable[[str], bytes]
) -> bytes | RejectedImage:
    """Why this one object is rejected, or its bytes where it is given by now; raises the error where it is not about it alone."""
    if isinstance(error, OddEntry):
        return RejectedImage(error.kind, str(error))
    if isinstance(error, MissingArtifact):
        return RejectedImage("unreadable", "was listed, and is gone")
    if isinstance(error, (StorageRefused, DamagedFile)) and _another_is_read(key, others, read):
        try:
            return read(key)  # a right that was missing for a moment loses no image
        except (StorageRefused, DamagedFile) as still:
            logger.warning("%s is quarantined, others of its folder can be read: %s", storage.url(key), still)
            return RejectedImage("unreadable", str(still))
    raise error


def _another_is_read(key: str, others: Sequence[str], read: Callable[[str], bytes]) -> bool:
    some = [other for other in others if other != key]
    for other in some[:: max(1, len(some) // _WITNESSES)]:
        try:
            read(other)
        except (OddEntry, MissingArtifact, StorageRefused, DamagedFile):
            continue
        return True
    return False
