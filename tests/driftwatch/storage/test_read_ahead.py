"""Who reads many objects, how far ahead, and that nothing of it is left when the consumer goes."""

from __future__ import annotations

import threading
import time

import pytest

from driftwatch.errors import MissingArtifact
from driftwatch.storage import open_storage, read_ahead
from driftwatch.storage.read_ahead import Fetched, in_a_thread

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


def test_what_was_read_in_place_is_let_go_of_before_threads_read_ahead(monkeypatch):
    monkeypatch.setattr(read_ahead, "_QUICK", 0)
    gone = []

    class Content(bytes):
        def __del__(self):
            gone.append(bytes(self).decode())

    found = read_ahead.read_in_place(KEYS, lambda key: Content(key.encode()), 16, 4)
    for _ in range(17):
        next(found)
    assert set(gone) >= set(KEYS[:16])
    found.close()


@pytest.fixture
def given():
    """Objects of 10 bytes, and how many of them were asked for; whether their source was closed."""

    class Given:
        asked, closed = 0, threading.Event()

        def ones(self, count: int):
            try:
                for number in range(count):
                    self.asked += 1
                    yield Fetched(str(number), bytes(10))
            finally:
                self.closed.set()

    return Given()


@pytest.mark.parametrize(("most", "most_bytes", "ahead"), [(4, 1000, 4), (100, 35, 4)])
def test_a_thread_is_ahead_by_a_few_objects_or_bytes_and_gives_all_in_order(given, most, most_bytes, ahead):
    found = in_a_thread(given.ones(50), most, most_bytes)
    for number in range(50):
        assert next(found).key == str(number)
        time.sleep(0.002)
        assert given.asked <= number + 1 + ahead
    assert list(found) == []
    assert given.closed.is_set()


def test_a_consumer_that_goes_leaves_no_thread_behind(given):
    before = threading.active_count()
    found = in_a_thread(given.ones(10**9), 4)
    assert next(found).key == "0"
    found.close()
    assert given.closed.is_set()
    assert threading.active_count() == before


def test_what_a_thread_raises_reaches_the_consumer_after_what_came_before(given):
    def failing():
        yield from given.ones(2)
        raise MissingArtifact("gone")

    found = in_a_thread(failing(), 4)
    assert [next(found).key, next(found).key] == ["0", "1"]
    with pytest.raises(MissingArtifact, match="gone"):
        next(found)
