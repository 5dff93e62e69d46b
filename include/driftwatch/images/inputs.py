"""The model's inputs of a day as ingest stores them: uint8 images in the order of the manifest, one .npy file for each block, and
index.json with the number of images in each. They are read block by block, so that no day must fit into memory.

A block is named by the images that it holds (`name_of`), and index.json says the names. So a day that is taken in again writes its blocks
beside those that stand, and no reader takes one run's block for another's (docs/decisions/0101).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from driftwatch.artifacts.ingest import InputsIndex
from driftwatch.artifacts.model_input import ModelInput, pixel_fields
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import MissingArtifact, NeedsAttention

_READ_AHEAD = 2
_NAME = 12  # hex digits: names tell the runs of one block apart


def name_of(image_ids: Sequence[str], about: ModelInput, decoding: int) -> str:
    """The name of a block of these images, in order, made in this way. The same pixels have the same name; a block without an image has none."""
    if not image_ids:
        return ""
    told = "\n".join([about.pixels.model_dump_json(), str(decoding), *image_ids])
    return hashlib.sha256(told.encode()).hexdigest()[:_NAME]


def write_block(day: DayStore, number: int, images: np.ndarray, name: str = "") -> None:
    """Stores one block, uint8 [n, h, w, 3]; a block without an image has no file."""
    if len(images):
        day.storage.write_array(day.keys.inputs_block(number, name), images)


def write_index(day: DayStore, about: ModelInput, rows: Sequence[int], names: Sequence[str] = ()) -> None:
    """Makes the stored blocks the day's inputs: `rows` images in each, in order, and their `names`, if they have any. Removes what is left
    of an earlier run."""
    index = InputsIndex(rows=tuple(rows), **pixel_fields(about))
    _put_in_place(day, index.model_copy(update={"blocks": tuple(names)}) if names else index)


def _put_in_place(day: DayStore, index: InputsIndex) -> None:
    day.write(index)
    wanted = {day.keys.inputs_index, *(_key(day, index, number) for number, count in enumerate(index.rows) if count)}
    there = [*day.storage.list(day.keys.inputs), *day.storage.unfinished(day.keys.inputs)]
    day.storage.delete_all([item.key for item in there if item.key not in wanted])


def _key(day: DayStore, index: InputsIndex, number: int) -> str:
    return day.keys.inputs_block(number, index.name(number))


def has_inputs(day: DayStore) -> bool:
    """Whether the day was taken in and its inputs are there. Where `storage.keep` removed them, the index is there and no block."""
    index = day.find(InputsIndex)
    if index is None:
        return False
    first = next((number for number, count in enumerate(index.rows) if count), None)
    return first is None or day.storage.exists(_key(day, index, first))


def blacken(day: DayStore, rows: Sequence[int]) -> int:
    """Makes the day's images at these places black. Removes the blocks that killed runs have left, since they may show the images too; of a day
    without inputs (`has_inputs`) these are all blocks. Returns how many blocks changed or were removed. A repeat goes on where it was ended.

    A changed block gets a name by its pixels. By the old name whoever has the image could tell that it was there.
    """
    if not has_inputs(day):
        left = [item.key for item in day.storage.list(day.keys.inputs) if item.key != day.keys.inputs_index]
        day.storage.delete_all(left)
        return len(left)
    inputs = DayInputs(day)
    names, changed = list(inputs.index.blocks), 0
    for number, places in inputs.by_block(rows).items():
        (images,) = inputs.blocks([number])
        if not images[places].any():
            continue
        images = images.copy()
        images[places] = 0
        if names:
            names[number] = hashlib.sha256(images.tobytes()).hexdigest()[:_NAME]
        write_block(day, number, images, names[number] if names else "")
        changed += 1
    _put_in_place(day, inputs.index.model_copy(update={"blocks": tuple(names)}) if names else inputs.index)
    return changed


class DayInputs:
    """The day's stored inputs. Raises MissingArtifact if the day was not taken in."""

    def __init__(self, day: DayStore) -> None:
        self._day = day
        self.index = index = day.read(InputsIndex)
        self.rows, self.pixels = index.rows, index.pixels
        self._starts = np.concatenate([[0], np.cumsum(self.rows, dtype=int)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def blocks(self, numbers: Iterable[int] | None = None) -> Iterator[np.ndarray]:
        """The images of each block, uint8 [n, h, w, 3], in order: of all blocks, or of those with these numbers. A few blocks are
        fetched ahead. Raises NeedsAttention as `span`."""
        asked = list(range(len(self.rows)) if numbers is None else numbers)
        self._refuse_unknown(max(asked, default=-1))
        wanted = [number for number in asked if self.rows[number]]
        fetched = self._day.storage.iter_arrays([_key(self._day, self.index, n) for n in wanted], _READ_AHEAD)
        try:
            for number, images in zip(wanted, fetched, strict=True):
                yield self._checked(number, images)
        except MissingArtifact as error:
            raise MissingArtifact(
                f"{error}. If the day was taken in again just now, try again: it has other inputs now. If storage.keep removed the inputs of "
                f"{self._day.date}: clear ingest_images, and the day is taken in anew from incoming/"
            ) from error

    def span(self, numbers: range) -> tuple[int, int]:
        """Where the images of the blocks with these numbers lie among the day's accepted images, as in features.parquet: the first row, and the row
        behind the last. Raises NeedsAttention where the day has no such blocks."""
        self._refuse_unknown(numbers.stop - 1)
        return int(self._starts[numbers.start]), int(self._starts[numbers.stop])

    def take(self, places: Sequence[int]) -> np.ndarray:
        """The images at these places of the day, uint8 [n, h, w, 3] in their order; reads the blocks that hold them."""
        chosen = np.asarray(places, int)
        found = np.empty((len(chosen), self.pixels.height, self.pixels.width, 3), np.uint8)
        blocks = np.searchsorted(self._starts, chosen, side="right") - 1
        numbers = np.unique(blocks)
        for number, images in zip(numbers, self.blocks(numbers.tolist()), strict=True):
            here = blocks == number
            found[here] = images[chosen[here] - self._starts[number]]
        return found

    def place(self, row: int) -> tuple[str, int]:
        """The key of the block that holds the day's image number `row`, and the image's place in it."""
        ((number, (place,)),) = self.by_block([row]).items()
        return _key(self._day, self.index, number), place

    def by_block(self, rows: Sequence[int]) -> dict[int, list[int]]:
        """Of the day's images with these numbers: the places in each block, by its number."""
        found: dict[int, list[int]] = {}
        for row in rows:
            number = int(np.searchsorted(self._starts, row, side="right")) - 1
            found.setdefault(number, []).append(row - int(self._starts[number]))
        return found

    def _refuse_unknown(self, number: int) -> None:
        if number >= len(self.rows):
            raise NeedsAttention(
                f"{self._day.storage.url(self._day.keys.inputs_index)} has {len(self.rows)} blocks, and block {number + 1} is asked for: the day "
                f"has grown and was not taken in whole since. Clear ingest_images of {self._day.date} together with all tasks after it"
            )

    def _checked(self, number: int, images: np.ndarray) -> np.ndarray:
        height, width = self.pixels.height, self.pixels.width
        if images.shape != (self.rows[number], height, width, 3):
            raise NeedsAttention(
                f"{self._day.storage.url(_key(self._day, self.index, number))} is {list(images.shape)}, index.json says {self.rows[number]} "
                f"images of {width} x {height} px: clear ingest_images for {self._day.date}"
            )
        return images
