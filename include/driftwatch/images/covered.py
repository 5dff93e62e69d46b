"""What people are shown of an image: the boxes that `labels.blur` names are covered, and what has no boxes is not shown.

The model and the features get the images as they are: nothing here changes a stored image.
"""

from __future__ import annotations

import io
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from driftwatch.config.blur import HIDE, SHOW
from driftwatch.errors import ChangedImage, NeedsAttention
from driftwatch.images.first_bytes import JPEG
from driftwatch.images.layout import below, dated_root, place_of_day
from driftwatch.images.originals import Original, read_original
from driftwatch.images.rows_by_path import RowsByPath
from driftwatch.images.table_file import (
    LATER,
    MissingTable,
    StillWritten,
    path_in_table,
    seconds_until_settled,
    settled,
    text_of,
    unchanged,
)
from driftwatch.images.table_rows import Columns, rows_of

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.config.blur import BlurConfig
    from driftwatch.storage import Storage

# What is left of a blurred box: so many colours a side.
_COLOURS = 4
_QUALITY = 92
_TABLES_KEPT = 16


class HiddenImage(ChangedImage):
    """An image that nobody is shown, since it is not known what of it has to be covered."""


class Box(NamedTuple):
    """A box in the upright picture, as the table has it: in pixels, or as shares of the picture."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Covers:
    """What is covered in a monitor's images."""

    store: MonitorStore
    settings: BlurConfig

    @classmethod
    def of(cls, store: MonitorStore) -> Covers | None:
        """None where the monitor file has no `labels.blur`."""
        blur = store.config.labels.blur
        return cls(store, blur) if blur else None

    def require(self, day: date) -> None:
        """Reads the day's table when nobody writes to it any more, nor to that of the labelled originals, of which the exam is made. Raises as
        `look`."""
        key, training = self.settings.path_of(day), self.settings.training
        if training not in (HIDE, SHOW):
            with settled(self.store.storage, training, self._settle_seconds(training)):
                pass  # what is wrong in it hides images, and stops no day
        try:
            with settled(self.store.storage, key, self._settle_seconds(key)):
                self.look(day)
        except MissingTable as error:
            raise MissingTable(f"{error}{LATER if key != self.settings.path else ''}") from error

    def look(self, day: date) -> None:
        """Reads the day's table, and does not wait. Raises MissingTable, NeedsAttention where it cannot be read, and StillWritten."""
        self._table(self.settings.path_of(day), place_of_day(self.store.day(day)).root)

    def look_at_training(self) -> None:
        """The same of the labelled originals, where a table tells of them."""
        if self.settings.training not in (HIDE, SHOW):
            self._table(self.settings.training, self.store.keys.training_images)

    def _settle_seconds(self, key: str) -> float | None:
        """None for a table of all days, which may be added to at any time."""
        return None if key == self.settings.path else self.store.config.images.settle_seconds

    def original(self, image_id: str, key: str, most_bytes: int) -> Original:
        """The image's file for people: covered and written anew where it has boxes, without any metadata; else as it is.

        Raises ChangedImage as `read_original`, and HiddenImage where its boxes are not known or cannot be right.
        """
        boxes = self._boxes(key)
        found = read_original(self.store.storage, image_id, key, most_bytes, self.store.elsewhere)
        if not boxes:
            return found
        from PIL import Image

        from driftwatch.images.decode import decode_image
        from driftwatch.images.headers import RejectedImage

        try:
            rgb = decode_image(found.data, self.store.config.images).rgb
        except RejectedImage as error:
            raise HiddenImage(f"{self._url(key)} has boxes to cover, and cannot be decoded: it {error}") from error
        buffer = io.BytesIO()
        Image.fromarray(self._covered(rgb, boxes, key)).save(buffer, "JPEG", quality=_QUALITY)
        return Original(buffer.getvalue(), JPEG)

    def _covered(self, rgb: np.ndarray, boxes: tuple[Box, ...], key: str) -> np.ndarray:
        height, width = rgb.shape[:2]
        made = rgb.copy()
        across, down = (width, height) if self.settings.unit == "share" else (1, 1)
        for box in boxes:
            left, right = math.floor(box.x * across), math.ceil((box.x + box.width) * across)
            top, bottom = math.floor(box.y * down), math.ceil((box.y + box.height) * down)
            if right <= 0 or bottom <= 0 or left >= width or top >= height:
                raise HiddenImage(
                    f"{self._url(key)} is shown to nobody: its box {tuple(box)} lies outside of the picture of {width} x {height} pixels. "
                    f"Correct the box in the table of labels.blur (unit: {self.settings.unit}), which is of the picture after EXIF's rotation"
                )
            part = made[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
            part[:] = 0 if self.settings.method == "black" else _blurred(part)
        return made

    def _boxes(self, key: str) -> tuple[Box, ...]:
        """The image's boxes; empty where the table says that there are none. Raises HiddenImage."""
        keys = self.store.keys
        try:
            if dated := dated_root(self.store, key):
                of_day, root = dated
                place, path = self.settings.path_of(of_day), below(root, key)
                table = self._table(place, root)
            elif key.startswith(f"{keys.training_images}/"):
                if self.settings.training == SHOW:
                    return ()
                path, place = key.removeprefix(f"{keys.training_images}/"), self.settings.training
                if place == HIDE:
                    raise HiddenImage(
                        f"{self._url(key)} is shown to nobody: labels.blur.training is hide. Name the table of its boxes there, or say show"
                    )
                table = self._table(place, keys.training_images)
            else:
                raise HiddenImage(f"{self._url(key)} is shown to nobody: labels.blur knows no table for it")
        except HiddenImage:
            raise
        except (NeedsAttention, StillWritten, ValueError) as error:
            raise HiddenImage(f"{self._url(key)} is shown to nobody: {error}") from error
        rows = table.of([path]).get(path)
        if rows is None:
            why = "there is no row for it. A row without numbers says that nothing is to be covered"
        else:
            boxes = {row: _box(row) for row in rows if any(row)}
            wrong = [[*row] for row, box in boxes.items() if box is None]
            if not wrong:
                return tuple(box for box in map(boxes.get, rows) if box)
            why = f"a row of it has the box {wrong[0]}, which is none: {_ALLOWED}"
        raise HiddenImage(f"{self._url(key)} is shown to nobody: in {self._url(place)} {why}")

    def _url(self, key: str) -> str:
        return self.store.storage.url(key)

    def _table(self, key: str, folder: str) -> RowsByPath:
        settings = self.settings
        names = (settings.key, settings.x, settings.y, settings.width, settings.height)
        columns = Columns(settings.key, names, "Correct the columns of labels.blur, or the file", sparse=True)
        return _TABLES.read(self.store.storage, key, columns, folder, self._settle_seconds(key))


@dataclass
class _Tables:
    """The tables that were read last: the five fields of each row by the image's path below the folder. One that was replaced is read again when
    nobody writes to it any more: until then the one before it holds. Threads of a web server share them."""

    _held: OrderedDict[tuple[str, Columns, str], tuple[str, RowsByPath]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # One of them is held while a table is read: the threads that want the same one wait, and share it then.
    _reading: tuple[threading.Lock, ...] = field(
        default_factory=lambda: tuple(threading.Lock() for _ in range(_TABLES_KEPT))
    )

    def read(
        self, storage: Storage, key: str, columns: Columns, folder: str, settle_seconds: float | None
    ) -> RowsByPath:
        """`settle_seconds`: as of `settled`. Raises StillWritten for a table that may be half written, where there was none before it, and for one
        that was written to while it was read."""
        name = (storage.url(key), columns, folder)
        _, table = self._known(name, storage, key, settle_seconds)
        if table is not None:
            return table
        with self._reading[hash(name) % len(self._reading)]:
            stamp, table = self._known(name, storage, key, settle_seconds)  # by a thread that was before this one
            if table is not None:
                return table
            with unchanged(storage, key, stamp or None, faults_alone=settle_seconds is None):
                table = RowsByPath(_rows(storage, key, columns, folder), len(columns.needed) - 1)
            with self._lock:
                self._held[name] = (stamp, table)
                while len(self._held) > _TABLES_KEPT:
                    self._held.popitem(last=False)
        return table

    def _known(
        self, name: tuple[str, Columns, str], storage: Storage, key: str, settle_seconds: float | None
    ) -> tuple[str, RowsByPath | None]:
        """The file's stamp, and the table if it is held and still holds. Raises StillWritten where there is none, and none may be read yet."""
        stamp = storage.stamp(key) or ""
        pause = seconds_until_settled(storage, key, settle_seconds or 0)
        with self._lock:
            held = self._held.get(name)
            if held and stamp and (held[0] == stamp or pause):
                self._held.move_to_end(name)
                return stamp, held[1]
        if pause:
            raise StillWritten(
                f"{storage.url(key)} may still be written to: look again in {math.ceil(pause)} s (images.settle_seconds)"
            )
        return stamp, None


_TABLES = _Tables()


def _rows(storage: Storage, key: str, columns: Columns, folder: str) -> Iterator[tuple[str, ...]]:
    name, *numbers = columns.needed
    for _, row in rows_of(storage, key, columns, "labels.blur", "", ""):
        yield path_in_table(folder, row.get(name)), *(text_of(row.get(column)) for column in numbers)


_ALLOWED = "x, y, width and height must be numbers, the last two more than 0. Correct the row"


def _box(texts: Sequence[str]) -> Box | None:
    try:
        box = Box(*map(float, texts))
    except ValueError:
        return None
    return box if all(map(math.isfinite, box)) and box.width > 0 and box.height > 0 else None


def _blurred(part: np.ndarray) -> np.ndarray:
    """_COLOURS x _COLOURS averages of the part, which run into each other: nothing else of it is left."""
    from PIL import Image

    height, width = part.shape[:2]
    small = Image.fromarray(np.ascontiguousarray(part)).resize(
        (min(_COLOURS, width), min(_COLOURS, height)), Image.Resampling.BOX
    )
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))


def shown_original(store: MonitorStore, image_id: str, key: str, most_bytes: int) -> Original:
    """An image's file as people may see it. Raises ChangedImage; HiddenImage where `labels.blur` does not know what to cover."""
    covers = Covers.of(store)
    if covers is None:
        return read_original(store.storage, image_id, key, most_bytes, store.elsewhere)
    return covers.original(image_id, key, most_bytes)
