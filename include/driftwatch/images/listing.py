"""What lies in a day's folder, and what of it is meant for programs and file browsers: passed over, counted, no rejects."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from driftwatch.artifacts.store import DayStore
from driftwatch.errors import EmptyDay, NeedsAttention

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig
    from driftwatch.storage import StoredObject


def list_day(day: DayStore, images: ImagesConfig) -> Sequence[StoredObject]:
    """Everything in the day's incoming folder; raises EmptyDay where there is nothing but what `images.ignore` names."""
    listed = day.storage.list(day.keys.incoming)
    if listed and not day.storage.lies_in(day.keys.incoming, day.keys.incoming.rpartition("/")[0]):
        raise NeedsAttention(
            f"{day.storage.url(day.keys.incoming)} is a link that leads out of the folder that it lies in: put the images there, or "
            "make the folder above it the link"
        )
    if all(ignored_by(item.key, day.keys.incoming, images.ignore) for item in listed):
        ignored = f" ({len(listed)} files that images.ignore names)" if listed else ""
        raise EmptyDay(
            f"{day.storage.url(day.keys.incoming)} holds no images{ignored} for {day.date.isoformat()}: check the camera's or service's "
            "delivery; the setting images.on_empty_day (fail, skip) decides what such a day does"
        )
    return listed


def ignored_by(key: str, folder: str, patterns: Sequence[str]) -> str | None:
    """The pattern of `images.ignore` that the key matches; None for what is to be an image.

    A pattern with `/` is held against the whole key below `folder`, where `*` stands for `/` too and the folder's own marker is
    `/`; any other against each part of it, so that a folder's name takes all in it along. Upper and lower case are the same.
    """
    name = (key.removeprefix(folder).removeprefix("/") or "/").lower()
    parts = [part for part in name.split("/") if part not in (".", "..")]  # of keys of S3; they hide nothing
    for pattern in patterns:
        wanted = pattern.lower()
        if any(fnmatchcase(part, wanted) for part in ([name] if "/" in pattern else parts)):
            return pattern
    return None
