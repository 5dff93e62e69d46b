"""Objects in the order of their names, also when memory should not hold them all: what does not fit waits on the local disk.

The order is that of names as object stores list them, by code point. A key with an escape (`foreign_files`) stands where its name does.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from typing import IO

from driftwatch.storage.foreign_files import from_key
from driftwatch.storage.local_disk import keeping


@dataclass(frozen=True)
class StoredObject:
    """One object below a prefix: its key, and its size in bytes."""

    key: str
    size: int


def name_of(item: StoredObject) -> str:
    """What objects are ordered by."""
    return from_key(item.key)


class Spool:
    """Objects that come in any order and are given out in order, as often as wanted. Close it at the end.

    `piece`: so many are sorted in memory at a time. Pieces that follow each other in order share a temporary file. The system removes the
    files when the process ends, however it ends.
    """

    def __init__(self, piece: int = 250_000) -> None:
        self._piece = piece
        self._open = ExitStack()
        self._files: list[IO[str]] = []
        self._small: list[StoredObject] = []

    def fill(self, found: Iterable[StoredObject]) -> None:
        """Takes all of `found`, in place of what it had."""
        self.close()
        items, last = iter(found), ""
        piece = sorted(islice(items, self._piece), key=name_of)
        while following := sorted(islice(items, self._piece), key=name_of):
            last = self._write(piece, last)
            piece = following
        if self._files:
            self._write(piece, last)
        else:
            self._small = piece

    def _write(self, piece: list[StoredObject], last: str) -> str:
        if not self._files or name_of(piece[0]) < last:
            self._files.append(self._open.enter_context(_temporary_file()))
        with keeping("a listing"):
            self._files[-1].writelines(f"{item.size} {item.key}\n" for item in piece)
            self._files[-1].flush()
        return name_of(piece[-1])

    def __iter__(self) -> Iterator[StoredObject]:
        yield from self._small
        yield from heapq.merge(*map(_read, self._files), key=name_of)

    def close(self) -> None:
        with suppress(OSError):  # what the disk did not take was told, and nothing of the files is wanted any more
            self._open.close()
        self._files, self._small = [], []


def _temporary_file() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", prefix="driftwatch-")


def _read(file: IO[str]) -> Iterator[StoredObject]:
    """A key has no line end: control characters are escaped in it."""
    file.seek(0)
    for line in file:
        size, _, key = line.rstrip("\n").partition(" ")
        yield StoredObject(key, int(size))
