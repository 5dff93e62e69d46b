"""Small pictures for the pages: single rows of the stored model inputs, read without the rest of the array."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from driftwatch.images.inputs import DayInputs, has_inputs
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.image_page import image_key
from driftwatch.view.own_pictures import small_picture
from driftwatch.view.pictures import jpeg, shape_of

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.storage import Storage

_HEADER = 1024  # a .npy header of a plain array is 128 bytes


def thumbnail_of(artifacts: Artifacts, day: DayStore, image_id: str) -> bytes | None:
    """A JPEG of an accepted image of the day, as the model sees it; None where the day has no such image. With `labels.blur` it is made of the
    image's own file, and None where nobody may be shown that."""
    if day.config.labels.blur is not None:
        key = image_key(artifacts, day.date.isoformat(), image_id)
        return small_picture(day.monitor, image_id, key) if key else None
    known = artifacts.get(day.keys.manifest, read_places)
    row = known.row_of(image_id) if known else None
    if known is None or row is None or not has_inputs(day):
        return None
    width, height = map(int, known.sizes[row])
    inputs = DayInputs(day)
    block, row_in_block = inputs.place(row)
    return jpeg(read_row(day.storage, block, row_in_block), shape_of(inputs.pixels, width, height))


@dataclass(frozen=True)
class Places:
    """The accepted images in the order of the stored inputs. `ids`: bytes [n] of 64; `sizes`: width and height [n, 2]."""

    ids: np.ndarray
    sizes: np.ndarray

    def row_of(self, image_id: str) -> int | None:
        """The image's row in the stored inputs."""
        found = np.flatnonzero(self.ids == image_id.encode())
        return int(found[0]) if len(found) else None


def read_places(storage: Storage, key: str) -> Places:
    """The accepted images of a manifest."""
    import pyarrow.compute as pc

    manifest = storage.read_arrow(key, ["image_id", "status", "width", "height"])
    accepted = manifest.filter(pc.equal(manifest["status"], "accepted"))
    sizes = [accepted[name].to_numpy().astype("int32") for name in ("width", "height")]
    return Places(np.array(accepted["image_id"].to_pylist(), "S64"), np.stack(sizes, axis=1))


def read_row(storage: Storage, key: str, row: int) -> np.ndarray:
    """One row of a stored array, mapped from the file, or by two ranged requests on S3."""
    path = storage.local_path(key)
    if path is not None:
        return storage.parsed(
            key, "NumPy array", lambda: np.array(np.load(path, mmap_mode="r", allow_pickle=False)[row])
        )
    header = io.BytesIO(storage.read_range(key, 0, _HEADER))
    shape, _, dtype = storage.parsed(key, "NumPy array", lambda: _read_header(header))
    size = int(np.prod(shape[1:])) * dtype.itemsize
    start = header.tell() + row * size
    return np.frombuffer(storage.read_range(key, start, start + size), dtype).reshape(shape[1:])


def _read_header(file: io.BytesIO) -> Any:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)
