"""The bytes of a folder's objects, in order, or why an object is not read.

One odd file costs one row, never the day. But an image is never blamed for what is wrong with the storage. So an object is rejected if it
is gone, if it is no regular file, or if it cannot be read while another of the same folder can. Anything else is raised with the object's
name: a storage that refuses everything, credentials that have ended, a storage that does not answer.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from driftwatch.errors import DamagedFile, MissingArtifact, OddEntry, StorageRefused
from driftwatch.images.headers import RejectedImage
from driftwatch.images.listing import ImageFolder

if TYPE_CHECKING:
    from driftwatch.storage import StoredObject

logger = logging.getLogger(__name__)

# How many other objects are tried before the storage is taken to refuse all of them.
_WITNESSES = 20


class Ignored(NamedTuple):
    """`pattern`: the one of `images.ignore` that the object matches."""

    pattern: str


def fetch(
    folder: ImageFolder, objects: Sequence[StoredObject], given_up: Collection[str] = ()
) -> Generator[tuple[StoredObject, bytes | RejectedImage | Ignored], None, None]:
    """Each object with its bytes, or why it is rejected unread, or that it is ignored. Close the generator where you do not use it up.

    `given_up`: keys that are not read, since they change all the time.
    """
    unread = {item.key: why for item in objects if (why := _not_to_be_read(folder, item, given_up))}
    wanted = [item.key for item in objects if item.key not in unread]
    readable = None
    with closing(folder.iter_bytes(wanted)) as fetched:
        for item in objects:
            if item.key in unread:
                yield item, unread[item.key]
                continue
            found = next(fetched)
            if found.error is None:
                readable = item.key
                yield item, found.data
            else:
                yield item, _rejected(folder, item.key, found.error, [readable] if readable else wanted)


def _not_to_be_read(
    folder: ImageFolder, item: StoredObject, given_up: Collection[str]
) -> RejectedImage | Ignored | None:
    pattern = folder.ignored_by(item.key)
    if pattern is not None:
        return Ignored(pattern)
    if item.key in given_up:
        return RejectedImage("still_growing", "kept changing; clear ingest_images when it is whole")
    most = folder.settings.max_bytes
    if item.size > most:
        return RejectedImage("too_many_bytes", f"has {item.size} bytes; images.max_bytes is {most}")
    return None


def _rejected(folder: ImageFolder, key: str, error: Exception, others: Sequence[str]) -> bytes | RejectedImage:
    """Why this one object is rejected, or its bytes if it can be read by now. Raises the error if it is not about this object alone."""
    if isinstance(error, OddEntry):
        return RejectedImage(error.kind, str(error))
    if isinstance(error, MissingArtifact):
        if folder.named_by:
            return RejectedImage(
                "unreadable",
                f"is not there, and {folder.named_by} names it; where it was never there correct images.layout.paths or "
                "images.layout.inventory.key",
            )
        return RejectedImage(
            "unreadable",
            "was listed, and is gone: files are removed while the day is taken in; clear ingest_images to list it anew",
        )
    if isinstance(error, (StorageRefused, DamagedFile)) and _another_is_read(folder, key, others):
        try:
            return folder.read(key)  # the right to read it may have been missing for a moment only
        except (StorageRefused, DamagedFile) as still:
            logger.warning("%s is quarantined, others of its folder can be read: %s", folder.storage.url(key), still)
            return RejectedImage("unreadable", str(still))
    raise error


def _another_is_read(folder: ImageFolder, key: str, others: Sequence[str]) -> bool:
    some = [other for other in others if other != key]
    for other in some[:: max(1, len(some) // _WITNESSES)]:
        try:
            folder.read(other)
        except (OddEntry, MissingArtifact, StorageRefused, DamagedFile):
            continue
        return True
    return False
