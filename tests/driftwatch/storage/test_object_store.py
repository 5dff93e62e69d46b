"""What object stores have in common, on obstore's own store in memory. What hangs on a server is tried on S3."""

from __future__ import annotations

import tempfile
import time
from typing import Any

import pytest

from driftwatch.errors import MissingArtifact, StorageRefused
from driftwatch.outside import watching
from driftwatch.storage import StoredObject
from driftwatch.storage.object_store import ObjectStore


class Memory(ObjectStore):
    """An object store of another kind: only what each says for itself."""

    scheme = "memory"
    example = "memory://bucket/prefix"

    def _opened(self) -> Any:
        from obstore.store import MemoryStore

        return MemoryStore()


@pytest.fixture
def memory() -> Memory:
    return Memory("bucket/prefix")


def test_a_store_of_another_kind_needs_to_say_no_more_than_how_it_is_opened(memory):
    memory.reach()
    memory.write_bytes("m/a", b"abcdef")
    memory.write_bytes("m/sub/b", b"b")
    memory.write_bytes("mm/c", b"c")
    assert memory.list("m") == [StoredObject("m/a", 6), StoredObject("m/sub/b", 1)]
    assert list(memory.folders("m")) == ["sub"]
    assert memory.read_range("m/a", 2, 4) == b"cd"
    assert memory.read_foreign("m/a", "m", 6) == b"abcdef"
    memory.copy("m/a", "m/sub/a")
    memory.delete("m/a")
    assert memory.read_bytes("m/sub/a") == b"abcdef"
    with pytest.raises(MissingArtifact, match="memory://bucket/prefix/m/a does not exist"):
        memory.read_range("m/a", 0, 1)


def test_an_object_is_replaced_only_where_it_is_still_what_was_read(memory):
    first = memory.replace("m/a", b"one", None)
    assert memory.replace("m/a", b"two", None) is None
    assert memory.replace("m/a", b"two", first)
    assert memory.replace("m/a", b"three", first) is None
    assert memory.read_bytes("m/a") == b"two"


def test_a_file_of_many_pieces_lies_on_the_disk_until_it_is_sent_and_then_no_longer(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with memory.writing("m/a") as file:
        file.write(b"piece")
        assert [path.name.startswith("driftwatch-") for path in tmp_path.iterdir()] == [True]
    assert memory.read_bytes("m/a") == b"piece"
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_many_pieces_that_cannot_be_sent_is_not_left_on_the_disk(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    class Interrupted:
        def put(self, *_: object, **how: int) -> None:
            raise KeyboardInterrupt

    memory.__dict__["_opened_once"] = Interrupted()
    with pytest.raises(KeyboardInterrupt), memory.writing("m/a") as file:
        file.write(b"piece")
    assert list(tmp_path.iterdir()) == []


def test_threads_that_fetch_share_one_store(memory, monkeypatch):
    """Made while many ask for it, it would be made many times, each with connections of its own."""
    made, opened = [], Memory._opened

    def slowly(self: Memory) -> Any:
        time.sleep(0.05)
        made.append(opened(self))
        for number in range(16):
            made[-1].put(f"prefix/m/{number}", b"%d" % number)
        return made[-1]

    monkeypatch.setattr(Memory, "_opened", slowly)
    fetched = [one.data for one in memory.iter_bytes([f"m/{number}" for number in range(16)])]
    assert fetched == [b"%d" % number for number in range(16)]
    assert len(made) == 1


def test_a_copy_is_told_to_whoever_watches_what_goes_outside(memory):
    memory.write_bytes("m/a", b"a")
    seen: list[tuple[str, str, bool]] = []
    with watching(lambda moment, what: seen.append((moment, what, memory.exists("m/b")))):
        memory.copy("m/a", "m/b")
    assert seen == [("before", "storage copy m/b", False), ("after", "storage copy m/b", True)]


def test_a_root_that_may_not_be_listed_is_refused_by_its_own_address(memory, monkeypatch):
    """Some servers say no more than 403."""

    class Refusing:
        def list(self, *_: object, **__: object) -> None:
            raise PermissionError("Server returned non-2xx status code: 403 Forbidden: ")

    memory.__dict__["_opened_once"] = Refusing()
    with pytest.raises(StorageRefused, match=r"may not list memory://bucket/prefix"):
        memory.reach()
