"""NumPy arrays written and read piece by piece, so that their length is not limited by memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from driftwatch.storage.base import Storage

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


def row_pieces(storage: Storage, key: str, rows: int = _ROWS) -> Iterator[np.ndarray]:
    """An array's rows in order, `rows` at a time; only these are in memory. Of an array without rows one empty piece. Raises MissingArtifact and
    DamagedArtifact."""
    start = storage.read_range(key, 0, _HEADER_BYTES)
    shape, kind, offset = storage.parsed(key, "NumPy array", lambda: _header(start))
    if not shape[0]:
        yield np.zeros(shape, kind)
    size = kind.itemsize * int(np.prod(shape[1:]))
    for first in range(0, shape[0], rows):
        last = min(first + rows, shape[0])
        data = storage.read_range(key, offset + first * size, offset + last * size)

        def parse(data: bytes = data, count: int = last - first) -> np.ndarray:
            return np.frombuffer(data, kind).reshape(count, *shape[1:])

        yield storage.parsed(key, "NumPy array", parse)


def _header(start: bytes) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape, type, and where the numbers begin."""
    file = io.BytesIO(start)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("not the first version of the .npy format")
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
    if by_columns or kind.hasobject:
        raise ValueError("an array by columns, or of objects")
    return shape, kind, file.tell()
