"""What was learnt of a day's pool, added to its plan under the monitor's annotation lock."""

from __future__ import annotations

from typing import Any

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.store import DayStore
from driftwatch.storage.lock import exclusive


def note_progress(day: DayStore, progress: AnnotationProgress, number: int = 0) -> AnnotationPlan:
    """Writes how far the pool is, and what it has cost, into the plan; gives the new plan. `number`: of the supplement, 0 for the day's
    own sample."""
    return _note(day, number, progress=progress)


def note_end(day: DayStore, close_reason: str | None, progress: AnnotationProgress, number: int = 0) -> AnnotationPlan:
    """Writes that the pool has ended, why, and how far it was; gives the new plan. `number`: as for `note_progress`."""
    return _note(day, number, state="closed", close_reason=close_reason, progress=progress)


def _note(day: DayStore, number: int, **facts: Any) -> AnnotationPlan:
    """The plan is read under the lock, so that nothing is lost that another run has noted meanwhile."""
    with exclusive(day.storage, day.monitor.keys.annotation_lock) as lock:
        plan = day.read(AnnotationPlan)
        part = next(part for part in plan.parts if part.number == number)
        plan = plan.with_part(part.model_copy(update=facts))
        lock.check()
        day.write(plan)
    return plan
