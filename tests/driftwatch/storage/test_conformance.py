"""What every kind of storage promises. Kinds are listed in conftest.py: a new one joins by one line there."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest

from driftwatch.errors import DriftwatchError, MissingArtifact, OddEntry
from driftwatch.storage import Stored, StoredObject, object_store
from driftwatch.storage.kinds import BUILT_IN
from driftwatch.storage.lock import exclusive

from .conftest import KINDS


def test_every_kind_is_put_through_these_tests():
    assert set(KINDS) == set(BUILT_IN)


# Bytes


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"x" * 3_000_000], ids=["empty", "binary", "three megabytes"])
def test_what_is_written_is_read_back_and_replaced_whole(storage, data):
    storage.write_bytes("m/a", b"something longer than what comes")
    storage.write_bytes("m/a", data)
    assert storage.read_bytes("m/a") == data
    assert storage.list("m") == [StoredObject("m/a", len(data))]
    storage.write_bytes("m/a", b"page", content_type="text/html")
    assert storage.read_bytes("m/a") == b"page"


def test_a_part_of_an_object_is_read_by_itself(storage):
    storage.write_bytes("m/a", bytes(range(100)))
    assert storage.read_range("m/a", 0, 4) == bytes(range(4))
    assert storage.read_range("m/a", 10, 15) == bytes(range(10, 15))
    assert storage.read_range("m/a", 95, 4000) == bytes(range(95, 100))


def test_a_foreign_file_is_read_up_to_the_limit(storage):
    storage.write_bytes("in/a.jpg", b"x" * 100)
    assert storage.read_foreign("in/a.jpg", "in", 100) == b"x" * 100
    with pytest.raises(OddEntry, match=r"has 100 bytes; images\.max_bytes is 99") as found:
        storage.read_foreign("in/a.jpg", "in", 99)
    assert found.value.kind == "too_many_bytes"


def test_foreign_files_are_fetched_in_order_and_odd_ones_lose_no_other(storage):
    keys = [f"in/{number:02d}" for number in range(60)]
    for key in keys[:-1]:
        storage.write_bytes(key, b"too many bytes" if key == "in/20" else key.encode())
    fetched = list(storage.iter_foreign([*keys, "in//a"], "in", 9, at_once=5))
    assert [one.key for one in fetched] == [*keys, "in//a"]
    errors = {one.key: type(one.error) for one in fetched if one.error is not None}
    last = MissingArtifact if storage.scheme == "file" else OddEntry  # a folder knows no empty part
    assert errors == {"in/20": OddEntry, "in/59": MissingArtifact, "in//a": last}
    assert all(one.content == one.key.encode() for one in fetched if one.error is None)


def test_objects_are_fetched_in_order_and_a_lost_one_loses_no_other(storage):
    keys = [f"in/{number:02d}" for number in range(21)]
    for key in keys[:10] + keys[11:]:
        storage.write_bytes(key, key.encode())
    fetched = list(storage.iter_bytes(keys, at_once=5))
    assert [one.key for one in fetched] == keys
    lost = fetched.pop(10)
    assert [one.data for one in fetched] == [one.key.encode() for one in fetched]
    assert isinstance(lost.error, MissingArtifact)
    with pytest.raises(MissingArtifact, match="in/10 does not exist"):
        lost.data  # noqa: B018 - an error that nobody asks for is raised where the bytes are


def test_no_more_objects_are_fetched_than_was_asked_for_beyond_the_one_in_use(storage):
    keys = [f"in/{number}" for number in range(40)]
    read, begun = threading.Lock(), []

    def reading(key: str) -> bytes:
        with read:
            begun.append(key)
        return b""

    fetched = storage.iter_bytes(keys, at_once=4, read=reading)
    for used in range(1, 41):
        next(fetched)
        time.sleep(0.002)
        assert len(begun) <= used + 4
    assert sorted(begun) == sorted(keys)


# What is not there


@pytest.mark.parametrize(
    "call",
    [
        lambda storage: storage.read_bytes("m/none"),
        lambda storage: storage.read_json("m/none"),
        lambda storage: storage.read_range("m/none", 0, 5),
        lambda storage: storage.read_foreign("m/none", "m", 9),
        lambda storage: storage.copy("m/none", "m/b"),
    ],
    ids=["read", "read_json", "read_range", "read_foreign", "copy"],
)
def test_a_missing_object_is_named_with_what_to_do(storage, call):
    with pytest.raises(MissingArtifact, match=rf"{storage.uri}/m/none does not exist: the step that writes it"):
        call(storage)
    assert storage.list("m") == []


def test_when_an_object_was_written_is_known(storage):
    storage.write_bytes("a/b.txt", b"1")
    at = storage.written("a/b.txt")
    assert at is not None
    assert abs(time.time() - at) < 120


def test_nothing_is_known_of_a_missing_object(storage):
    assert storage.written("a/none.txt") is None
    assert storage.exists("m/none") is False
    assert storage.stamp("m/none") is None
    assert storage.modified("m/none") is None
    assert storage.read_stored("m/none") is None
    assert storage.list("none") == []
    assert list(storage.folders("none")) == []
    storage.reach()  # an empty storage is no error


def test_many_objects_are_deleted_and_one_that_is_gone_is_no_error(storage, monkeypatch):
    monkeypatch.setattr(object_store, "_DELETED_AT_ONCE", 3)
    keys = [f"m/{number}.json" for number in range(8)]
    for key in keys:
        storage.write_bytes(key, b"x")
    storage.delete(keys[1])
    storage.delete_all([*keys[:7], "never/was"])
    assert [item.key for item in storage.list("m")] == [keys[7]]
    storage.delete_all([])


def test_an_object_is_deleted_once_and_a_second_time_is_no_error(storage):
    storage.write_bytes("m/a", b"a")
    storage.write_bytes("m/ab", b"ab")
    storage.delete("m/a")
    assert (storage.exists("m/a"), storage.exists("m/ab")) == (False, True)
    storage.delete("m/a")
    storage.delete("never/was")


# What is there


def test_a_copy_is_an_object_of_its_own_and_replaces_what_was_there(storage):
    storage.write_bytes("in/a.jpg", b"picture")
    storage.write_bytes("shown/1.jpg", b"something longer that was there")
    storage.copy("in/a.jpg", "shown/1.jpg")
    storage.delete("in/a.jpg")
    assert storage.read_bytes("shown/1.jpg") == b"picture"


def test_a_copy_of_nothing_names_it_and_leaves_what_was_there(storage):
    storage.write_bytes("m/a", b"there")
    with pytest.raises(MissingArtifact, match="m/none"):
        storage.copy("m/none", "m/a")
    assert storage.read_bytes("m/a") == b"there"


def test_an_object_has_a_path_where_the_storage_is_a_folder_and_nowhere_else(storage):
    storage.write_bytes("m/a b", b"bytes")
    path = storage.local_path("m/a b")
    assert (path is None) == storage.remote
    if path is not None:
        assert path.read_bytes() == b"bytes"
    assert storage.lies_in("m/a b", "m")


def test_a_storage_makes_links_or_says_what_does(storage):
    import httpx

    storage.write_bytes("m/a.jpg", b"picture")
    if storage.scheme == "gs":
        pytest.skip("links to Google are signed by the key of a service account, which no test has")
    if storage.presigns:
        assert httpx.get(storage.presigned_url("m/a.jpg", 60)).content == b"picture"
        assert storage.signing_credentials().temporary is False
    else:
        for call in (lambda: storage.presigned_url("m/a b.jpg", 60), storage.signing_credentials):
            with pytest.raises(DriftwatchError, match="needs an image server"):
                call()


# Writing piece by piece


def test_a_file_that_is_written_piece_by_piece_replaces_the_object_when_it_is_whole(storage):
    storage.write_bytes("m/a", b"old")
    with storage.writing("m/a") as file:
        file.write(b"new ")
        assert storage.read_bytes("m/a") == b"old"
        file.write(b"bytes")
    assert storage.read_bytes("m/a") == b"new bytes"


def test_a_write_that_is_killed_half_way_leaves_the_old_object_and_nothing_else(storage):
    storage.write_bytes("m/a", b"old")

    def dies(key: str) -> None:
        with storage.writing(key) as file:
            file.write(b"half of the")
            raise KeyboardInterrupt

    for key in ("m/a", "m/b"):
        with pytest.raises(KeyboardInterrupt):
            dies(key)
    assert storage.list("m") == [StoredObject("m/a", 3)]
    assert storage.read_bytes("m/a") == b"old"


# Conditional replacement


def test_what_is_there_is_not_created_again(storage):
    assert storage.replace("m/lock", b"first", None)
    assert storage.replace("m/lock", b"second", None) is None
    assert storage.read_bytes("m/lock") == b"first"
    storage.delete("m/lock")
    assert storage.replace("m/lock", b"third", None)
    assert storage.read_bytes("m/lock") == b"third"


def test_only_what_was_found_is_replaced(storage):
    storage.write_bytes("m/a", b"one")
    one = storage.read_stored("m/a")
    assert isinstance(one, Stored)
    assert one.data == b"one"
    two = storage.replace("m/a", b"two", one)
    assert two is not None
    assert two == storage.read_stored("m/a")
    assert storage.replace("m/a", b"late", one) is None
    assert storage.read_bytes("m/a") == b"two"
    assert storage.replace("m/a", b"three", two)
    storage.delete("m/a")
    assert storage.replace("m/a", b"four", two) is None
    assert storage.exists("m/a") is False


def test_of_many_who_create_one_object_at_once_one_does(storage):
    """A folder's callers hold a lock for it; an object store decides itself."""
    together = threading.Barrier(8)

    def create(number: int) -> bool:
        together.wait(30)
        with exclusive(storage, "m/lock") if not storage.remote else nullcontext():
            return storage.replace("m/one", b"%d" % number, None) is not None

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(create, range(8)))
    assert created.count(True) == 1
    assert storage.read_bytes("m/one") == b"%d" % created.index(True)
