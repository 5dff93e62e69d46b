"""The rows of a table about images, by the path of the image that each names. They lie on the local disk: memory does not grow with the table."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from itertools import islice

from driftwatch.storage.local_disk import keeping

_WHAT = "the rows of a table"
_AT_ONCE = 500  # SQLite takes 999 values in a question, in older versions


class RowsByPath:
    """`rows`: each with its path first, then `fields` texts. They are kept by SQLite in a temporary file (in `TMPDIR`, or /var/tmp where that is not set),
    which the system removes when the process ends, however it ends. Threads may share it. Raises NoRoom where the disk cannot hold them, and whatever `rows` raises."""

    def __init__(self, rows: Iterable[tuple[str, ...]], fields: int) -> None:
        self._lock = threading.Lock()
        self._kept = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._kept.close)
        names = [f"field{number}" for number in range(fields)]
        marks = ", ".join("?" * (fields + 1))
        add = f"INSERT INTO rows VALUES ({marks})"  # noqa: S608
        with keeping(_WHAT, sqlite3.Error):
            for statement in (
                "PRAGMA journal_mode = OFF",
                "PRAGMA synchronous = OFF",
                f"CREATE TABLE rows (path BLOB, {', '.join(f'{name} BLOB' for name in names)})",
                "BEGIN",
            ):
                self._kept.execute(statement)
            self._kept.executemany(add, ([*map(_bytes, row)] for row in rows))
            # With the fields, so that paths that are asked for in their order are read in the order of the file.
            self._kept.execute(f"CREATE INDEX by_path ON rows (path, {', '.join(names)})")
            self._kept.execute("COMMIT")

    def of(self, paths: Iterable[str]) -> dict[str, list[tuple[str, ...]]]:
        """The fields of the rows of each path, in the order of the table; nothing of a path that has no row."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for some in _some(paths):
            marks = ", ".join("?" * len(some))
            asked = f"SELECT * FROM rows WHERE path IN ({marks}) ORDER BY rowid"  # noqa: S608
            with self._lock, keeping(_WHAT, sqlite3.Error):
                rows = self._kept.execute(asked, some).fetchall()
            for path, *fields in rows:
                found.setdefault(_text(path), []).append(tuple(map(_text, fields)))
        return found


def _some(paths: Iterable[str]) -> Iterator[list[bytes]]:
    left = map(_bytes, paths)
    while some := [*islice(left, _AT_ONCE)]:
        yield some


def _bytes(text: str) -> bytes:
    """Half of a letter's code, which is no UTF-8, is kept too: names come from anywhere."""
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
