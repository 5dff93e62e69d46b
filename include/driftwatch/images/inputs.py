"""The model's inputs of a day as ingest stores them: uint8 images in the order of the manifest, one .npy file for each block, and
index.json with the number of images in each. They are read block by block, so that no day must fit into memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from driftwatch.artifacts.ingest import InputsIndex
from driftwatch.artifacts.model_input import ModelInput, pixel_fields
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import MissingArtifact, NeedsAttention

_READ_AHEAD = 2


def write_block(day: DayStore, number: int, images: np.ndarray) -> None:
    """Stores one block, uint8 [n, h, w, 3]; a block without an image has no file."""
    if len(images):
        day.storage.write_array(day.keys.inputs_block(number), images)
    else:
        day.storage.delete(day.keys.inputs_block(number))


def write_index(day: DayStore, about: ModelInput, rows: Sequence[int]) -> None:
    """Makes the stored blocks the day's inputs: `rows` images in each, in order. Removes what is left of an earlier run."""
    day.write(InputsIndex(rows=tuple(rows), **pixel_fields(about)))
    wanted = {day.keys.inputs_index, *(day.keys.inputs_block(number) for number, count in enumerate(rows) if count)}
    day.storage.delete_all([item.key for item in day.storage.list(day.keys.inputs) if item.key not in wanted])


def has_inputs(day: DayStore) -> bool:
    """Whether the day was taken in and its inputs are there. Where `storage.keep` removed them, the index is there and no block."""
    index = day.find(InputsIndex)
    if index is None:
        return False
    first = next((number for number, count in enumerate(index.rows) if count), None)
    return first is None or day.storage.exists(day.keys.inputs_block(first))


class DayInputs:
    """The day's stored inputs. Raises MissingArtifact if the day was not taken in."""

    def __init__(self, day: DayStore) -> None:
        self._day = day
        index = day.read(InputsIndex)
        self.rows, self.pixels = index.rows, index.pixels
        self._starts = np.concatenate([[0], np.cumsum(self.rows, dtype=int)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def blocks(self, numbers: Iterable[int] | None = None) -> Iterator[np.ndarray]:
        """The images of each block, uint8 [n, h, w, 3], in order: of all blocks, or of those with these numbers. A few blocks are
        fetched ahead."""
        wanted = [n for n in (range(len(self.rows)) if numbers is None else numbers) if self.rows[n]]
        fetched = self._day.storage.iter_arrays([self._day.keys.inputs_block(n) for n in wanted], _READ_AHEAD)
        try:
            for number, images in zip(wanted, fetched, strict=True):
                yield self._checked(number, images)
        except MissingArtifact as error:
            raise MissingArtifact(
                f"{error}. If storage.keep removed the inputs of {self._day.date}: clear ingest_images, and the day is taken in anew from incoming/"
            ) from error

    def span(self, numbers: range) -> tuple[int, int]:
        """The rows of the blocks with these numbers among the day's accepted images, such as those of features.parquet: from the first to before
        the second."""
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
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._day.keys.inputs_block(number), row - int(self._starts[number])

    def _checked(self, number: int, images: np.ndarray) -> np.ndarray:
        height, width = self.pixels.height, self.pixels.width
        if images.shape != (self.rows[number], height, width, 3):
            raise NeedsAttention(
                f"{self._day.storage.url(self._day.keys.inputs_block(number))} is {list(images.shape)}, index.json says {self.rows[number]} "
                f"images of {width} x {height} px: clear ingest_images for {self._day.date}"
            )
        return images
