"""What object stores have in common, on a file system that is not S3's: fsspec's own, in memory. What hangs on a server is tried on S3."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from typing import Any

import fsspec
import httpx
import pytest

from driftwatch.errors import MissingArtifact
from driftwatch.outside import watching
from driftwatch.storage import Stored, StoredObject, open_storage
from driftwatch.storage.base import Entry, SigningCredentials
from driftwatch.storage.object_store import ObjectStore


class Memory(ObjectStore):
    """An object store of another kind: only what each says for itself."""

    scheme = "memory"
    example = "memory://bucket/prefix"

    def reach(self) -> None: ...

    def signing_credentials(self) -> SigningCredentials:
        return SigningCredentials(temporary=False)

    def read_stored(self, key: str) -> Stored | None:
        return Stored(self.read_bytes(key)) if self.exists(key) else None

    def replace(self, key: str, data: bytes, found: Stored | None) -> Stored | None:
        raise NotImplementedError

    def _look(self, path: str) -> Entry:
        return Entry(str(self._fs.info(path)["created"]))

    def _read(self, path: str) -> bytes:
        return bytes(self._fs.cat_file(path))

    def _read_foreign(self, path: str, folder: str, limit: int) -> bytes:
        return self._read(path)

    def _write(self, path: str, data: bytes, content_type: str | None) -> None:
        self._fs.pipe_file(path, data)


@pytest.fixture
def memory() -> Iterator[Memory]:
    storage = Memory("bucket/prefix")
    yield storage
    storage._fs.store.clear()  # one for the whole process


def test_a_store_of_another_kind_lists_reads_copies_and_deletes_with_what_is_shared(memory):
    memory.write_bytes("m/a", b"abcdef")
    memory.write_bytes("m/sub/b", b"b")
    memory.write_bytes("mm/c", b"c")
    assert memory.list("m") == [StoredObject("m/a", 6), StoredObject("m/sub/b", 1)]
    assert list(memory.folders("m")) == ["sub"]
    assert memory.read_range("m/a", 2, 4) == b"cd"
    memory.copy("m/a", "m/sub/a")
    memory.delete("m/a")
    assert memory.read_bytes("m/sub/a") == b"abcdef"
    with pytest.raises(MissingArtifact, match="memory://bucket/prefix/m/a does not exist"):
        memory.read_range("m/a", 0, 1)


def test_a_file_of_many_pieces_lies_on_the_disk_until_it_is_sent_and_then_no_longer(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with memory.writing("m/a") as file:
        file.write(b"piece")
        assert [path.name.startswith("driftwatch-") for path in tmp_path.iterdir()] == [True]
    assert memory.read_bytes("m/a") == b"piece"
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_many_pieces_that_cannot_be_sent_is_not_left_on_the_disk(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(type(memory._fs), "put_file", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt), memory.writing("m/a") as file:
        file.write(b"piece")
    assert list(tmp_path.iterdir()) == []
    assert not memory.exists("m/a")


def test_threads_that_fetch_share_one_file_system(memory, monkeypatch):
    """Made while many ask for it, it would be made many times, each with connections of its own."""
    for number in range(16):
        memory.write_bytes(f"m/{number}", b"%d" % number)
    make, made = fsspec.filesystem, []

    def slowly(*arguments: Any, **more: Any) -> Any:
        time.sleep(0.05)
        made.append(more)
        return make(*arguments, **more)

    monkeypatch.setattr(fsspec, "filesystem", slowly)
    fetched = [one.data for one in Memory("bucket/prefix").iter_bytes([f"m/{number}" for number in range(16)])]
    assert fetched == [b"%d" % number for number in range(16)]
    assert made == [{"use_listings_cache": False}]


def test_a_copy_is_told_to_whoever_watches_what_goes_outside(memory):
    memory.write_bytes("m/a", b"a")
    seen: list[tuple[str, str, bool]] = []
    with watching(lambda moment, what: seen.append((moment, what, memory.exists("m/b")))):
        memory.copy("m/a", "m/b")
    assert seen == [("before", "storage copy m/b", False), ("after", "storage copy m/b", True)]


def test_a_file_system_that_is_handed_over_forgets_its_listings_and_keeps_no_more(s3, s3_storage, s3_endpoint):
    import s3fs

    caching = s3fs.S3FileSystem(key="k", secret="s", endpoint_url=s3_endpoint, skip_instance_cache=True)
    s3_storage.write_bytes("m/a", b"a")
    assert len(caching.find(s3_storage.path("m"))) == 1
    handed_over = open_storage(s3_storage.uri, caching)
    for name in ("b", "c"):
        s3_storage.write_bytes(f"m/{name}", b"later")
        assert f"m/{name}" in [item.key for item in handed_over.list("m")]
        assert handed_over.exists(f"m/{name}")


@pytest.mark.parametrize("seconds", [60, 7 * 24 * 3600])
def test_a_link_lives_as_long_as_was_asked_for(s3_storage, seconds):
    link = httpx.URL(s3_storage.presigned_url("m/a b.jpg", seconds))
    assert link.path.endswith("/m/a b.jpg")
    assert float(link.params["Expires"]) - time.time() == pytest.approx(seconds, abs=10)
