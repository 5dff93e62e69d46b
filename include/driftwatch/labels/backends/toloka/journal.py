"""What is learnt of Toloka while a plan is carried out, recorded at once; and what was created before, found again by its marker.

Projects and pools have no idempotency key at Toloka: they carry a marker and are looked for before they are created. That a
creation is about to be sent is recorded first, so that a repeat knows to wait for a listing that lags behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from driftwatch.artifacts.annotation import AnnotationPlan

# How long a listing may lag behind what was created.
SETTLE_SECONDS = 15.0


class _HasId(Protocol):
    id: str


T = TypeVar("T", bound=_HasId)


class Journal:
    """The day's `plan` as it stands. `record` writes it.

    `settle_seconds`: how long to wait for a listing that lags behind a creation which an earlier, killed run has sent
    (SETTLE_SECONDS).
    """

    def __init__(
        self, plan: AnnotationPlan, record: Callable[[AnnotationPlan], None], settle_seconds: float | None = None
    ) -> None:
        self.plan = plan
        self.settle_seconds = SETTLE_SECONDS if settle_seconds is None else settle_seconds
        self._record = record

    def note(self, **facts: Any) -> None:
        """The plan has these values from now on."""
        self.plan = self.plan.model_copy(update=facts)
        self._record(self.plan)

    def note_operation(self, operation_id: str) -> None:
        """Records an upload that is about to be sent."""
        if operation_id not in self.plan.operation_ids:
            self.note(operation_ids=(*self.plan.operation_ids, operation_id))

    def find_or_create(self, what: str, find: Callable[[], Iterable[T]], create: Callable[[], T]) -> T:
        """What carries the marker, the oldest if there are several; waits for a lagging listing where an earlier run may have
        created it; else a new one. That a creation is sent is recorded first."""
        found = self.find(what, find)
        return self.create(what, create) if found is None else found

    def create(self, what: str, create: Callable[[], T]) -> T:
        sent = self.plan.creations.get(what, 0) + 1
        self.note(state=_creating(what), creations={**self.plan.creations, what: sent})
        return create()

    def find(self, what: str, find: Callable[[], Iterable[T]]) -> T | None:
        end = time.monotonic() + (self.settle_seconds if self.plan.state == _creating(what) else 0)
        while True:
            # An answer that took long may be of a listing from before the end: only one that was asked for after it counts as the last.
            last = time.monotonic() >= end
            found = min(find(), key=lambda item: (len(item.id), item.id), default=None)
            if found is not None or last:
                return found
            time.sleep(min(1.0, self.settle_seconds / 5))


def _creating(what: str) -> str:
    """The state of a plan whose `what` is about to be created, or was when the run was killed."""
    return f"creating_{what}"
