"""One SQLite file: every upload as it came, and the documents (analyzers, monitors, actions, results) as JSON."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

DAY_MS = 86_400_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS uploads (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, part INTEGER NOT NULL, dataset TEXT NOT NULL, kind TEXT NOT NULL,
  timestamp INTEGER NOT NULL, alias TEXT, transaction_id TEXT, idempotency_key TEXT, created INTEGER NOT NULL,
  received INTEGER, payload BLOB, error TEXT, live INTEGER NOT NULL DEFAULT 1, UNIQUE (id, part));
CREATE INDEX IF NOT EXISTS uploads_by_day ON uploads (dataset, kind, timestamp);
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (dataset, idempotency_key);
CREATE TABLE IF NOT EXISTS transactions (
  id TEXT PRIMARY KEY, dataset TEXT NOT NULL, state TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deletions (
  id INTEGER PRIMARY KEY, dataset TEXT NOT NULL, start INTEGER, stop INTEGER, before INTEGER, results INTEGER NOT NULL,
  created INTEGER NOT NULL, due INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS documents (
  dataset TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (dataset, kind, id)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Settings:
    """Who may use the server, and how slow or strict it is. Times are in seconds (see the command's help)."""

    api_key: str
    organisation: str = "org-1"
    datasets: tuple[str, ...] = ("model-1",)
    url_seconds: float = 900
    delete_seconds: float = 0
    ingest_seconds: float = 0
    idempotency: Literal["replay", "refuse", "ignore"] = "replay"
    analyse_seconds: float | None = None


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Store:
    """The SQLite file (WAL), safe for the threads of one process."""

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything in it happens, or nothing. It holds the store's lock."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        found = self.rows(sql, *values)
        return found[0] if found else None

    def change(self, sql: str, *values: Any) -> int:
        """Runs one statement. Returns the id of the inserted row."""
        with self._lock:
            return self._connection.execute(sql, values).lastrowid or 0

    def put_document(self, dataset: str, kind: str, document_id: str, body: Any) -> None:
        self.change(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", dataset, kind, document_id, json.dumps(body)
        )

    def document(self, dataset: str, kind: str, document_id: str) -> Any:
        """The document, or None."""
        row = self.row(
            "SELECT body FROM documents WHERE dataset = ? AND kind = ? AND id = ?", dataset, kind, document_id
        )
        return json.loads(row["body"]) if row else None

    def documents(self, dataset: str, kind: str) -> list[Any]:
        """All documents of a kind, by id."""
        rows = self.rows("SELECT body FROM documents WHERE dataset = ? AND kind = ? ORDER BY id", dataset, kind)
        return [json.loads(row["body"]) for row in rows]

    def delete_document(self, dataset: str, kind: str, document_id: str) -> None:
        self.change("DELETE FROM documents WHERE dataset = ? AND kind = ? AND id = ?", dataset, kind, document_id)
