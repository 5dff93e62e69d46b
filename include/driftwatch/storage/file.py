"""A storage root in a folder of this machine, or one that is mounted on it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from driftwatch.storage.base import Storage
from driftwatch.storage.entries import Entry, Opened, Stored
from driftwatch.storage.errors import if_there
from driftwatch.storage.foreign_files import lies_in, list_files, read_regular, to_key
from driftwatch.storage.spool import StoredObject
from driftwatch.storage.unfinished import aside_of, is_aside


class FileStorage(Storage):
    """Objects are files. Each is written to a file beside it, flushed to the disk, and renamed."""

    scheme = "file"
    example = "file:///absolute/folder"
    remote = False
    lists_in_order = True

    @classmethod
    def allows(cls, root: str) -> bool:
        return root.startswith("/")

    def local_path(self, key: str) -> Path:
        return Path(self.path(key))

    def reach(self) -> None:
        if os.path.lexists(self.root):
            os.listdir(self.root)

    def modified(self, key: str) -> float | None:
        return self.written(key)

    def list(self, prefix: str) -> Sequence[StoredObject]:
        return [item for item in super().list(prefix) if not is_aside(item.key)]

    def unfinished(self, prefix: str) -> Sequence[StoredObject]:
        return [item for item in super().list(prefix) if is_aside(item.key)]

    def lies_in(self, key: str, folder: str) -> bool:
        return lies_in(self.path(key), self.path(folder) if folder else self.root)

    def read_stored(self, key: str) -> Stored | None:
        return Stored(self.read_bytes(key)) if self.exists(key) else None

    def replace(self, key: str, data: bytes, found: Stored | None) -> Stored | None:
        if self.read_stored(key) != found:
            return None
        self.write_bytes(key, data)
        return Stored(data)

    def _look(self, path: str) -> Entry:
        found = os.stat(path)
        return Entry(_stamp(found), found.st_mtime, found.st_size)

    def _stamps(self, path: str, names: Sequence[str]) -> dict[str, str]:
        with os.scandir(path) as entries:
            return {entry.name: _stamp(entry.stat()) for entry in entries if entry.name in names and entry.is_file()}

    def _list(self, path: str) -> Iterator[tuple[str, int]]:
        return list_files(path)

    def _folders(self, path: str) -> Sequence[str]:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]

    def linked_folders(self, prefix: str) -> Sequence[str]:
        path = self.path(prefix) if prefix else self.root
        found = self._calling("list", prefix, lambda: if_there(lambda: _links_out(path)))
        return sorted(map(to_key, found or ()))

    def _read(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def _open(self, path: str) -> Opened:
        return _OpenFile(path)

    def _read_foreign(self, path: str, folder: str, limit: int) -> bytes:
        return read_regular(path, folder, limit)

    def _write(self, path: str, data: bytes, content_type: str | None) -> None:
        with _replacing(Path(path)) as file:
            file.write(data)

    @contextmanager
    def _writing(self, key: str) -> Iterator[IO[bytes]]:
        with _replacing(self.local_path(key)) as file:
            yield file

    def _remove(self, path: str) -> None:
        os.remove(path)


class _OpenFile(Opened):
    """A file that is replaced stays as it was for who has it open."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")  # noqa: SIM115

    def size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def read(self, start: int, end: int) -> bytes:
        self._file.seek(start)
        return self._file.read(end - start)

    def close(self) -> None:
        self._file.close()


def _stamp(found: os.stat_result) -> str:
    return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"


@contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    """Writes a file beside the target and renames it, so that a killed process leaves the old file or the new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(aside_of(target.name))
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def _links_out(path: str) -> Sequence[str]:
    """Not those to another entry of the same folder, such as the newest."""
    here = os.path.realpath(path)
    with os.scandir(path) as entries:
        links = [entry for entry in entries if entry.is_symlink() and entry.is_dir()]
    return [entry.name for entry in links if os.path.dirname(os.path.realpath(entry.path)) != here]
