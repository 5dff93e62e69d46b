"""The copies of images that people outside are shown: checked against what was taken in, and named by image id alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property

from driftwatch.artifacts.nested_keys import ShownKeys
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import ChangedImage
from driftwatch.images.covered import Covers, HiddenImage
from driftwatch.images.first_bytes import JPEG, PNG, WEBP
from driftwatch.images.originals import Original, read_original
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.elsewhere import Elsewhere

log = logging.getLogger(__name__)

# The most that images.max_bytes may be; something else may lie in its place.
_MOST_BYTES = 1_000_000_000


@dataclass(frozen=True)
class ShownImages:
    """`folder` takes the copies. A copy is made once: what becomes of the original later changes nothing. `covers`: what is covered in them;
    such copies have a folder of their own, so that none of before is shown. `elsewhere`: opens the storage of images that lie apart."""

    storage: Storage
    folder: str
    covers: Covers | None = None
    elsewhere: Elsewhere = open_storage

    @classmethod
    def of_day(cls, day: DayStore) -> ShownImages:
        """Those of the day's annotators. Raises as `Covers.require`."""
        covers = Covers.of(day.monitor)
        if covers is not None:
            covers.require(day.date)
        return cls(day.storage, day.keys.shown, covers, day.monitor.elsewhere)

    def key(self, image_id: str, original: str) -> str:
        """The copy's key, with the suffix of what the bytes are. Raises ChangedImage where the original is not what was taken in."""
        if image_id in self._copied:
            return self._copied[image_id]
        data, kind = self._checked(image_id, original)
        key = ShownKeys(self._folder).image(image_id, kind.suffix)
        self.storage.write_bytes(key, data, kind.content_type)
        self._copied[image_id] = key
        return key

    def copied(self, image_id: str, original: str) -> bool:
        """Copies the image; whether it still is what was taken in."""
        try:
            self.key(image_id, original)
        except ChangedImage as error:
            return _told(error)
        return True

    def unchanged(self, image_id: str, original: str) -> bool:
        """Whether the image still is what was taken in; copies nothing."""
        try:
            return image_id in self._copied or bool(self._checked(image_id, original))
        except ChangedImage as error:
            return _told(error)

    @cached_property
    def _copied(self) -> dict[str, str]:
        found = {}
        for item in self.storage.list(self._folder):
            name = item.key.removeprefix(f"{self._folder}/")
            for kind in (JPEG, PNG, WEBP):
                if name.endswith(kind.suffix):
                    found[name.removesuffix(kind.suffix)] = item.key
        return found

    @property
    def _folder(self) -> str:
        return ShownKeys(self.folder).covered if self.covers else self.folder

    def _checked(self, image_id: str, original: str) -> Original:
        if self.covers is not None:
            return self.covers.original(image_id, original, _MOST_BYTES)
        return read_original(self.storage, image_id, original, _MOST_BYTES, self.elsewhere)


def _told(error: ChangedImage) -> bool:
    """False; that an image is hidden is told, since its file looks well."""
    if isinstance(error, HiddenImage):
        log.warning("%s", error)
    return False
