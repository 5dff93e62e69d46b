"""A storage in a folder: what only a folder can have."""

from __future__ import annotations

import os
import tracemalloc

import pytest

from driftwatch.storage import open_storage


def test_a_killed_write_leaves_the_old_file(file_storage, tmp_path, monkeypatch):
    file_storage.write_bytes("a", b"old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        file_storage.write_bytes("a", b"new")
    assert file_storage.read_bytes("a") == b"old"
    assert os.listdir(tmp_path) == ["a"]


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
