"""A storage in a folder: what only a folder can have."""

from __future__ import annotations

import os
import tracemalloc

import pytest
from tests.killed_write import killed_write

from driftwatch.storage import open_storage
from driftwatch.storage.unfinished import target_of


def test_a_killed_write_leaves_the_old_file(file_storage, tmp_path, monkeypatch):
    file_storage.write_bytes("a", b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        file_storage.write_bytes("a", b"new")
    assert file_storage.read_bytes("a") == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_what_a_killed_process_leaves_is_no_object_and_can_be_found_and_deleted(file_storage):
    file_storage.write_bytes("m/in/a.parquet", b"old")
    left = killed_write(file_storage, "m/in/a.parquet", b"new")
    assert [item.key for item in file_storage.list("m")] == ["m/in/a.parquet"]
    assert file_storage.read_bytes("m/in/a.parquet") == b"old"
    assert [(item.key, item.size) for item in file_storage.unfinished("m")] == [(left, 3)]
    assert target_of(left) == "m/in/a.parquet"
    file_storage.delete(left)
    assert list(file_storage.unfinished("m")) == []


@pytest.mark.parametrize("name", [".hidden.tmp", "a.tmp", ".a.jpg.0123.tmp", "a.jpg"])
def test_other_hidden_files_are_objects_as_any(file_storage, name):
    file_storage.write_bytes(f"m/{name}", b"a")
    assert [item.key for item in file_storage.list("m")] == [f"m/{name}"]
    assert list(file_storage.unfinished("m")) == []
    assert target_of(f"m/{name}") == f"m/{name}"


def test_a_folder_that_is_not_there_yet_is_an_empty_storage_and_a_file_in_its_place_is_none(tmp_path):
    open_storage(f"file://{tmp_path}/later").reach()
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        open_storage(f"file://{tmp_path}/file").reach()


def test_a_file_tells_when_it_was_written_to(file_storage, tmp_path):
    file_storage.write_bytes("a", b"")
    os.utime(tmp_path / "a", (5, 1234.5))
    assert file_storage.modified("a") == 1234.5


def test_links_are_listed_and_not_followed(file_storage, tmp_path):
    file_storage.write_bytes("m/real/a", b"a")
    (tmp_path / "m" / "link").symlink_to(tmp_path / "m" / "real")
    assert [item.key for item in file_storage.list("m")] == ["m/link", "m/real/a"]
    assert list(file_storage.folders("m")) == ["real"]


def test_a_key_lies_in_a_folder_only_when_its_links_do(file_storage, tmp_path):
    file_storage.write_bytes("m/a", b"a")
    file_storage.write_bytes("other/b", b"b")
    (tmp_path / "m" / "link").symlink_to(tmp_path / "other" / "b")
    assert file_storage.lies_in("m/a", "m")
    assert not file_storage.lies_in("m/link", "m")


def test_a_copy_never_holds_the_whole_object(file_storage, monkeypatch):
    with file_storage.writing("m/large") as file:
        file.write(b"first")
        file.truncate(100_000_000)
    monkeypatch.setattr(type(file_storage), "read_bytes", lambda *_: pytest.fail("the whole object is read"))
    tracemalloc.start()
    try:
        file_storage.copy("m/large", "m/copy")
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
    assert file_storage.size("m/copy") == 100_000_000
    assert file_storage.read_range("m/copy", 0, 6) == b"first\0"
