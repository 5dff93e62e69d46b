"""An array is written piece by piece, and replaces the old one whole."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.storage import Storage, open_storage
from driftwatch.storage.arrays import writing_rows

PIECES = [np.arange(6, dtype="float16").reshape(3, 2), np.zeros((0, 2), "float16"), np.ones((1, 2), "float16")]


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def write(storage: Storage, pieces: list) -> None:
    with writing_rows(storage, "m/a.npy", 4, pieces[0]) as add:
        for piece in pieces:
            add(piece)


def test_pieces_are_one_array(storage):
    write(storage, PIECES)
    np.testing.assert_array_equal(storage.read_array("m/a.npy"), np.concatenate(PIECES))


def test_without_a_first_piece_there_is_no_array_and_an_earlier_one_goes(storage):
    write(storage, PIECES)
    write(storage, [None, None])
    assert not storage.exists("m/a.npy")


def test_an_error_leaves_the_old_array(storage):
    write(storage, PIECES)

    def broken():
        with writing_rows(storage, "m/a.npy", 4, PIECES[0]) as add:
            add(PIECES[0])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert len(storage.read_array("m/a.npy")) == 4
