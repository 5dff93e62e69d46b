"""NumPy arrays written and read piece by piece, so that their length is not limited by memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from driftwatch.storage.base import Storage
    from driftwatch.storage.reading import Reading

_HEADER_BYTES = 1024  # an .npy header has 128 for every array that is written here
_ROWS = 16_384


@contextmanager
def writing_rows(
    storage: Storage, key: str, rows: int, first: np.ndarray | None
) -> Iterator[Callable[[np.ndarray | None], None]]:
    """An array of `rows` rows that replaces `key` whole when the block ends without an error; gives the function that adds rows.

    `first`: rows of its kind, for their type and width. None means that there is to be no array: an earlier one is removed, and
    nothing is added.
    """
    if first is None:
        yield lambda piece: None
        storage.delete(key)
        return
    with storage.writing(key) as file:
        header = {"descr": first.dtype.str, "fortran_order": False, "shape": (rows, *first.shape[1:])}
        np.lib.format.write_array_header_1_0(file, header)
        yield lambda piece: None if piece is None else _write(file, piece)


def _write(file: IO[bytes], piece: np.ndarray) -> None:
    file.write(piece.tobytes())


class StoredArray:
    """An array of which only the rows that are asked for are fetched (`open_array`). `shape` and `dtype`: NumPy's."""

    def __init__(self, storage: Storage, key: str, found: Reading) -> None:
        self._storage, self._key, self._found = storage, key, found
        start = found.range(0, _HEADER_BYTES)
        self.shape, self.dtype, self._offset = storage.parsed(key, "NumPy array", lambda: _header(start))

    def rows(self, start: int, stop: int) -> np.ndarray:
        """The rows from `start` to before `stop`, all of which the array has; raises DamagedArtifact where it has not."""
        size = self.dtype.itemsize * int(np.prod(self.shape[1:]))
        data = self._found.range(self._offset + start * size, self._offset + stop * size)

        def parse() -> np.ndarray:
            return np.frombuffer(data, self.dtype).reshape(stop - start, *self.shape[1:])

        return self._storage.parsed(self._key, "NumPy array", parse)

    def pieces(self, rows: int = _ROWS) -> Iterator[np.ndarray]:
        """As `row_pieces`; as often as wanted."""
        if not self.shape[0]:
            yield np.zeros(self.shape, self.dtype)
        for first in range(0, self.shape[0], rows):
            yield self.rows(first, min(first + rows, self.shape[0]))


@contextmanager
def open_array(storage: Storage, key: str) -> Iterator[StoredArray]:
    """An array to read several parts of. All parts are of one array, also where another replaces it meanwhile. Raises as
    `tables.open_table`."""
    with storage.reading(key) as found:
        yield StoredArray(storage, key, found)


def row_pieces(storage: Storage, key: str, rows: int = _ROWS) -> Iterator[np.ndarray]:
    """An array's rows in order, `rows` at a time; only these are in memory. Of an array without rows one empty piece. Raises as
    `open_array`."""
    with open_array(storage, key) as array:
        yield from array.pieces(rows)


def _header(start: bytes) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape, type, and where the numbers begin."""
    file = io.BytesIO(start)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("not the first version of the .npy format")
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
    if by_columns or kind.hasobject:
        raise ValueError("an array by columns, or of objects")
    return shape, kind, file.tell()
