"""Operations: work that a request starts and that ends a moment later. An operation is first RUNNING, then SUCCESS or FAIL.

The work is stored with the operation. If a restart interrupts it, it is done afterwards.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.errors import ApiError, conflict
from driftwatch_sandbox.toloka.store import Document, Store, public

Outcome = tuple[Document, list[Document]]  # details and log
Work = Callable[[Document], Outcome]  # an ApiError makes the operation FAIL


class OperationFailed(Exception):
    """Ends an operation as FAIL with these details and this log."""

    def __init__(self, details: Document, log: list[Document]) -> None:
        super().__init__("operation failed")
        self.details = details
        self.log = log


class Operations:
    """Starts operations, and ends those that are due."""

    def __init__(self, store: Store, duration: float, wake: Callable[[], None]) -> None:
        """`duration`: how long an operation stays RUNNING, in seconds. `wake` is called when one is started."""
        self._store = store
        self._duration = duration
        self._wake = wake
        self.works: dict[str, Work] = {}
        running = store.find("operations", [("status", "=", "RUNNING")])
        self._due = {operation["id"]: operation["_due"] for operation in running}

    def start(
        self,
        kind: str,
        parameters: Document,
        work: Any = None,
        operation_id: str | None = None,
        fails: bool = False,
    ) -> Document:
        """Starts an operation, and returns it as the API shows it. Raises OPERATION_ALREADY_EXISTS for an id that is taken.

        `fails` makes it end as FAIL without doing its work (an injected fault).
        """
        now = time.time()
        operation = {
            "id": operation_id or str(uuid.uuid4()),
            "type": kind,
            "status": "RUNNING",
            "submitted": times.text(now),
            "started": times.text(now),
            "progress": 0,
            "parameters": parameters,
            "_due": now + self._duration,
            "_work": work,
            "_fails": fails,
        }
        with self._store.transaction():
            if self._store.get("operations", operation["id"]) is not None:
                message = f"operation {operation['id']} already exists"
                raise conflict("OPERATION_ALREADY_EXISTS", message, operation_id=operation["id"])
            self._store.put("operations", operation)
            self._due[operation["id"]] = operation["_due"]
        self._wake()
        return public(operation)

    def next_due(self) -> float | None:
        """Unix seconds at which the next operation ends."""
        return min(list(self._due.values()), default=None)

    def finish_due(self) -> None:
        """Does the work of every operation that is due."""
        now = time.time()
        for operation_id, due in list(self._due.items()):
            if due <= now:
                with self._store.transaction():
                    if operation_id in self._due:
                        self._finish(operation_id)
                        del self._due[operation_id]

    def _finish(self, operation_id: str) -> None:
        operation = self._store.get("operations", operation_id)
        assert operation is not None  # operations are never deleted
        try:
            if operation["_fails"]:
                raise ApiError(500, "OPERATION_EXECUTION_ERROR", "injected fault operation_fail")
            details, log = self.works[operation["type"]](operation)
            status = "SUCCESS"
        except OperationFailed as failure:
            status, details, log = "FAIL", failure.details, failure.log
        except ApiError as error:
            status, details = "FAIL", error.body()
            name = operation["type"].replace(".", "_")
            log = [{"type": name, "success": False, "input": operation["parameters"], "output": error.body()}]
        operation |= {"status": status, "details": details, "progress": 100, "finished": times.now_text()}
        del operation["_work"]
        self._store.put("operations", operation)
        self._store.put("operation_logs", {"id": operation_id, "log": log})
