"""Small pictures for the pages: single rows of the stored model inputs, read without the rest of the array."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.images.inputs import DayInputs, has_inputs
from driftwatch.storage.arrays import open_array
from driftwatch.storage.tables import pieces
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_images import lists_a_sample
from driftwatch.view.image_page import image_key
from driftwatch.view.large_tables import ID
from driftwatch.view.own_pictures import small_picture
from driftwatch.view.pictures import jpeg, shape_of

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.storage import Storage

_ONE_READS = threading.Lock()


def thumbnail_of(artifacts: Artifacts, day: DayStore, image_id: str) -> bytes | None:
    """A JPEG of an accepted image of the day, as the model sees it; None where the day has no such image. With `labels.blur` it is made of the
    image's own file, and None where nobody may be shown that."""
    if day.config.labels.blur is not None:
        key = image_key(artifacts, day.date.isoformat(), image_id)
        return small_picture(day.monitor, image_id, key) if key else None
    known = _places(artifacts, day, image_id)
    place = known.get(image_id) if known else None
    if place is None or not has_inputs(day):
        return None
    inputs = DayInputs(day)
    block, row_in_block = inputs.place(place.row)
    return jpeg(read_row(day.storage, block, row_in_block), shape_of(inputs.pixels, place.width, place.height))


def _places(artifacts: Artifacts, day: DayStore, image_id: str) -> Places | None:
    """Where the day's accepted images are; of a day whose pages list a sample where those of the sample and those with a label are, or else the
    image alone."""
    if not lists_a_sample(artifacts, day.date):
        return artifacts.get(day.keys.manifest, read_places)

    def read_listed(storage: Storage, key: str) -> Places:
        keys = [each for each in (day.keys.judged, day.keys.labels) if storage.exists(each)]
        return read_places(storage, key, pa.concat_arrays([_ids(storage.read_arrow(each, [ID])) for each in keys]))

    read_listed.__qualname__ = (
        f"places with {day.storage.stamp(day.keys.labels)}"  # labels come later than the manifest
    )
    with _ONE_READS:  # a page asks for many pictures at once, and the manifest is long
        known = artifacts.get(day.keys.manifest, read_listed)
    if known is None or image_id in known:
        return known
    return read_places(day.storage, day.keys.manifest, pa.array([image_id]))


@dataclass(frozen=True)
class Place:
    """An accepted image. `row`: its own in the stored inputs; `width` and `height`: of its file, in pixels."""

    row: int
    width: int
    height: int


class Places:
    """Accepted images and their places, 80 bytes each."""

    def __init__(self, ids: np.ndarray, numbers: np.ndarray) -> None:
        """`ids`: bytes [n] of 64; `numbers`: row, width and height [n, 3]."""
        order = np.argsort(ids)
        self._ids, self._numbers = ids[order], numbers[order]

    def get(self, image_id: str) -> Place | None:
        at = int(np.searchsorted(self._ids, image_id.encode()))
        if at == len(self._ids) or self._ids[at] != image_id.encode():
            return None
        return Place(*map(int, self._numbers[at]))

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, image_id: str) -> bool:
        return self.get(image_id) is not None


def read_places(storage: Storage, key: str, wanted: pa.Array | None = None) -> Places:
    """The accepted images of a manifest, or those `wanted`, by their ids. It is read piece by piece."""
    ids: list[np.ndarray] = [np.empty(0, "S64")]
    numbers: list[np.ndarray] = [np.empty((0, 3), np.int64)]
    accepted = 0
    for piece in pieces(storage, key, [ID, "status", "width", "height"]):
        found = piece.filter(pc.equal(piece["status"], "accepted"))
        found = found.append_column("row", pa.array(np.arange(accepted, accepted + len(found))))
        accepted += len(found)
        found = found if wanted is None else found.filter(pc.is_in(found[ID], value_set=wanted))
        ids.append(np.array(found[ID].to_pylist(), "S64"))
        numbers.append(np.stack([found[name].to_numpy().astype(np.int64) for name in ("row", "width", "height")], 1))
    return Places(np.concatenate(ids), np.concatenate(numbers))


def _ids(table: pa.Table) -> pa.Array:
    return table[ID].combine_chunks()


def read_row(storage: Storage, key: str, row: int) -> np.ndarray:
    """One row of a stored array: its header and that row are fetched."""
    with open_array(storage, key) as array:
        return array.rows(row, row + 1)[0]
