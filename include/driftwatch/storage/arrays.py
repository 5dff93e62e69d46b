"""NumPy arrays written piece by piece, so that their length is not limited by memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from driftwatch.storage.base import Storage


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
