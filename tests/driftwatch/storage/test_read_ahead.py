"""Objects of a folder are read in the caller's thread where that is quick, and ahead of it by threads where it is not."""

from __future__ import annotations

import threading

import pytest

from driftwatch.errors import MissingArtifact
from driftwatch.storage import open_storage, read_ahead

KEYS = [f"in/{number:02}" for number in range(40)]
LOST = KEYS[7]


@pytest.fixture
def read_by(tmp_path):
    """The threads that read each object of a folder in which one is missing; what was read is right, whoever reads it."""
    storage = open_storage(f"file://{tmp_path}")
    for key in KEYS:
        if key != LOST:
            storage.write_bytes(key, key.encode())

    def threads() -> dict[str, int]:
        readers = {}

        def reading(key: str) -> bytes:
            readers[key] = threading.get_ident()
            return storage.read_bytes(key)

        fetched = list(storage.iter_bytes(KEYS, read=reading))
        assert [one.key for one in fetched] == KEYS
        assert [one.key for one in fetched if isinstance(one.error, MissingArtifact)] == [LOST]
        assert all(one.content == one.key.encode() for one in fetched if one.error is None)
        return readers

    return threads


def test_no_thread_is_woken_up_for_files_that_are_read_quickly(read_by, monkeypatch):
    monkeypatch.setattr(read_ahead, "_QUICK", 1e9)
    assert set(read_by().values()) == {threading.get_ident()}


def test_files_that_take_long_are_read_ahead_from_the_first_that_did(read_by, monkeypatch):
    monkeypatch.setattr(read_ahead, "_QUICK", 0)
    readers = read_by()
    assert {readers[key] for key in KEYS[:16]} == {threading.get_ident()}
    assert threading.get_ident() not in {readers[key] for key in KEYS[16:]}
