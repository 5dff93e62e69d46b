"""An array is written piece by piece, and replaces the old one whole."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.errors import DamagedArtifact, MissingArtifact
from driftwatch.storage import Storage
from driftwatch.storage.arrays import row_pieces, writing_rows

PIECES = [np.arange(6, dtype="float16").reshape(3, 2), np.zeros((0, 2), "float16"), np.ones((1, 2), "float16")]


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


def test_an_array_is_read_piece_by_piece(storage, monkeypatch):
    array = np.arange(22, dtype="float16").reshape(11, 2)
    storage.write_array("m/a.npy", array)
    monkeypatch.setattr(type(storage), "read_bytes", lambda *_: pytest.fail("the whole array is read"))
    found = list(row_pieces(storage, "m/a.npy", 4))
    assert [len(piece) for piece in found] == [4, 4, 3]
    np.testing.assert_array_equal(np.concatenate(found), array)


def test_an_array_without_rows_is_one_empty_piece(storage):
    storage.write_array("m/a.npy", np.zeros((0, 3), "float16"))
    (piece,) = row_pieces(storage, "m/a.npy")
    assert (piece.shape, piece.dtype) == ((0, 3), np.float16)


def test_pieces_of_an_array_that_is_missing_cut_short_or_none_are_told(storage):
    with pytest.raises(MissingArtifact):
        next(row_pieces(storage, "m/a.npy"))
    storage.write_array("m/a.npy", np.arange(22.0).reshape(11, 2))
    for data in (b"no array", storage.read_bytes("m/a.npy")[:-8]):
        storage.write_bytes("m/a.npy", data)
        with pytest.raises(DamagedArtifact, match=r"m/a\.npy"):
            next(row_pieces(storage, "m/a.npy"))
