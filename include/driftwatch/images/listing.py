"""Which files of a folder are to be images: all but those that `images.ignore` names, which are for programs and file browsers.

What is ignored is listed and counted, and is no reject.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from typing import TYPE_CHECKING

from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.errors import EmptyDay
from driftwatch.images.inventory import Inventory, inventory_of
from driftwatch.images.layout import Place, place_of_day, taken_in_from

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig
    from driftwatch.storage import Storage, StoredObject
    from driftwatch.storage.read_ahead import Fetched

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ImageFolder:
    """A folder that images were left in: a day's, or that of the training images. Nothing is read from outside of it."""

    storage: Storage
    path: str
    """Its key; empty for the whole storage."""
    settings: ImagesConfig
    at: str = ""
    """The address of the storage, where it is not the monitor's own. Then keys are whole addresses."""
    named_by: str = ""
    """The file that names the objects, where they are not listed."""

    def images(self, listed: Iterable[StoredObject]) -> Iterator[StoredObject]:
        """Those of the `listed` objects that are to be images."""
        return (item for item in listed if self.ignored_by(item.key) is None)

    def ignored_by(self, key: str) -> str | None:
        """The pattern of `images.ignore` that the key matches; None for what is to be an image.

        A pattern with `/` is compared with the whole key below the folder. There `*` stands for `/` too, and the folder's own marker is `/`.
        Any other pattern is compared with each part of the key. So a pattern that matches a folder's name ignores all in that folder. Upper
        and lower case are the same.
        """
        name = (key.removeprefix(self.path).removeprefix("/") or "/").lower()
        parts = [part for part in name.split("/") if part not in (".", "..")]  # of keys of S3; they hide nothing
        of_whole, of_parts = _matchers(self.settings.ignore)
        if not of_whole.matches(name) and not any(map(of_parts.matches, parts)):
            return None
        found = of_whole.matching([name]) | of_parts.matching(parts)
        return next(pattern for pattern in self.settings.ignore if pattern in found)

    def read(self, key: str) -> bytes:
        """The bytes of one object. Raises OddEntry for what is no regular file of this folder or has more than `images.max_bytes`."""
        return self.storage.read_foreign(self._key(key), self._key(self.path), self.settings.max_bytes)

    def iter_bytes(self, keys: Sequence[str]) -> Generator[Fetched, None, None]:
        """Each of the objects as `read` reads it, in order, a few ahead. Close the generator where you do not use it up."""
        stored = [self._key(key) for key in keys]
        return self.storage.iter_foreign(stored, self._key(self.path), self.settings.max_bytes)

    def modified(self, key: str) -> float | None:
        """As `Storage.modified`."""
        return self.storage.modified(self._key(key))

    def _key(self, stored: str) -> str:
        return stored[len(self.at) + 1 :] if self.at else stored


class _Matcher:
    """What is compared with several patterns at once."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = {pattern: re.compile(translate(pattern.lower())) for pattern in patterns}
        together = "|".join(f"(?:{one.pattern})" for one in self._patterns.values())
        self.matches = re.compile(together or r"(?!)").match  # one that matches nothing

    def matching(self, names: Iterable[str]) -> set[str]:
        """The patterns that one of the names matches."""
        return {pattern for name in names for pattern, one in self._patterns.items() if one.match(name)}


@lru_cache(maxsize=16)
def _matchers(patterns: tuple[str, ...]) -> tuple[_Matcher, _Matcher]:
    """Of the patterns that are compared with whole keys, and of those that are compared with each part."""
    return _Matcher([one for one in patterns if "/" in one]), _Matcher([one for one in patterns if "/" not in one])


def folder_of_day(day: DayStore) -> ImageFolder:
    """The folder of the day's images as the camera or the service left them."""
    place = place_of_day(day)
    return _folder(day, place, inventory_of(day, place))


def _folder(day: DayStore, place: Place, inventory: Inventory | None) -> ImageFolder:
    return ImageFolder(place.storage, place.root, day.config.images, place.at, inventory.url if inventory else "")


def training_folder(store: MonitorStore) -> ImageFolder:
    """The folder of the original labelled images, which holds one folder for each class."""
    return ImageFolder(store.storage, store.keys.training_images, store.config.images)


def list_day(day: DayStore) -> Generator[StoredObject, None, None]:
    """Everything in the day's folder in the order of names, the ignored files too, never held whole. Raises EmptyDay, at its end, where
    nothing there is to be an image."""
    place = place_of_day(day)
    inventory = inventory_of(day, place)
    folder = _folder(day, place, inventory)
    before = taken_in_from(day, place)
    if before:
        logger.warning(
            "%s was taken in from %s before, and images.layout leads to %s now",
            day.date,
            day.storage.url(before),
            place.said,
        )
    ignored = 0
    any_image = False
    with closing(inventory.objects() if inventory else place.objects(folder.ignored_by)) as listed:
        for item in listed:
            if not any_image:
                any_image = folder.ignored_by(item.key) is None
                ignored += not any_image
            yield item
    if not any_image:
        files = f" ({ignored} files that images.ignore names)" if ignored else ""
        verb = "names" if inventory else "holds"
        layout = "" if day.config.images.layout is None else " and images.layout"
        was = (
            f" (the day was taken in from {day.storage.url(before)} before, and what is stored of it stays)"
            if before
            else ""
        )
        raise EmptyDay(
            f"{inventory.url if inventory else place.said} {verb} no images{files} for {day.date.isoformat()}: check the camera's or service's "
            f"delivery{layout}{was}; the setting images.on_empty_day (fail, skip) decides what such a day does"
        )
