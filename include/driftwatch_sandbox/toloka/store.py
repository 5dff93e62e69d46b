"""One SQLite file that holds every object as a JSON document, by kind and id."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Document = dict[str, Any]
Condition = tuple[str, str, Any]  # field, operator (= < <= > >= IN), value

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, id TEXT NOT NULL, pool_id TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_by_pool ON documents (kind, pool_id, id);
CREATE TABLE IF NOT EXISTS sequences (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""
# All ids have the same length: the client compares them as strings, and "999" is greater than "1000".
_FIRST_ID = 1_000_000
ID_WIDTH = len(str(_FIRST_ID))


class Store:
    """Documents in an SQLite file (WAL), safe for the threads of one process.

    Every change belongs in a `transaction()`. Fields whose names begin with `_` are the server's own: `public` leaves
    them out.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)
        self.on_rollback: list[Callable[[], None]] = []

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in it happens, or nothing. It holds the store's lock. An inner transaction is part of the outer one."""
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._connection.execute("BEGIN IMMEDIATE")
                yield
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            except BaseException:
                if self._depth == 1:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                    for forget in self.on_rollback:
                        forget()
                raise
            finally:
                self._depth -= 1

    def next_id(self, name: str) -> int:
        sql = "INSERT INTO sequences VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        with self._lock:
            return self._connection.execute(sql, (name, _FIRST_ID)).fetchone()[0]

    def get(self, kind: str, object_id: str) -> Document | None:
        with self._lock:
            sql = "SELECT body FROM documents WHERE kind = ? AND id = ?"
            row = self._connection.execute(sql, (kind, object_id)).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, *documents: Document) -> None:
        """Inserts or replaces documents by their `id`."""
        rows = [(kind, doc["id"], doc.get("pool_id"), json.dumps(doc)) for doc in documents]
        with self._lock:
            self._connection.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", rows)

    def delete(self, kind: str, object_id: str) -> bool:
        with self._lock:
            sql = "DELETE FROM documents WHERE kind = ? AND id = ?"
            return self._connection.execute(sql, (kind, object_id)).rowcount > 0

    def find(
        self,
        kind: str,
        conditions: Iterable[Condition] = (),
        order: Iterable[tuple[str, bool]] = (("id", False),),
        limit: int = -1,
    ) -> list[Document]:
        """Documents that meet all conditions, sorted by pairs of (field, descending). -1 means no limit.

        Field names go into the SQL text, so callers pass only names from their own lists.
        """
        where, values = ["kind = ?"], [kind]
        for field, operator, value in conditions:
            if field == "task_id" and kind == "assignments":
                tasks = "SELECT 1 FROM json_each(body, '$.tasks') WHERE json_extract(value, '$.id') = ?"
                where.append(f"EXISTS ({tasks})")
                values.append(value)
            elif operator == "IN":
                where.append(f"{_column(field)} IN ({', '.join('?' * len(value))})")
                values.extend(value)
            else:
                where.append(f"{_column(field)} {operator} ?")
                values.append(value)
        by = ", ".join(f"{_column(field)} {'DESC' if descending else 'ASC'}" for field, descending in order)
        sql = f"SELECT body FROM documents WHERE {' AND '.join(where)} ORDER BY {by} LIMIT ?"  # noqa: S608
        with self._lock:
            rows = self._connection.execute(sql, [*values, limit]).fetchall()
        return [json.loads(row[0]) for row in rows]


def _column(field: str) -> str:
    return field if field in ("id", "pool_id") else f"json_extract(body, '$.\"{field}\"')"


def public(document: Document) -> Document:
    """A document as the API shows it."""
    return {key: value for key, value in document.items() if not key.startswith("_")}
