"""What labels were planned to cost, and what they have cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.labels.money import counted
from driftwatch.view.days import Day

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig


@dataclass(frozen=True)
class Spend:
    """USD of the labels of a calendar month, fee included.

    `paid`: so far; `planned`: what the plans of its days came to; `counted`: what counts towards `limit`, which is what finished
    days have cost and what the others are planned to; `limit`: `labels.max_cost_per_month`.
    """

    month: str
    paid: float
    planned: float
    counted: float
    limit: float


def spend_of_month(days: Sequence[Day], config: MonitorConfig) -> Spend | None:
    """What the labels of the newest day's month cost; None before the first day, and where nobody is paid for labels."""
    if not days or config.labels.people is None:
        return None
    month = days[-1].day.strftime("%Y-%m")
    asked = [row for row in days if row.day.strftime("%Y-%m") == month]
    plans = [row.annotation for row in asked if row.annotation]
    return Spend(
        month,
        paid=sum(paid(row) for row in asked),
        planned=sum(planned(row) for row in asked),
        counted=sum(counted(part.state, part.cost.total, _spent(part)) or 0.0 for plan in plans for part in plan.parts),
        limit=config.labels.max_cost_per_month,
    )


def planned(row: Day) -> float:
    """What the day's labels are planned to cost, those of images that came late too."""
    return sum(part.cost.total for part in row.annotation.parts) if row.annotation else 0.0


def paid(row: Day) -> float:
    """What was paid for a day. After a pool has ended, the plan says it. Until then, the last look at the pool says it; before it is open, that look
    was at another pool, such as that of the images that were there before the late ones."""
    parts = row.annotation.parts if row.annotation else ()
    known = sum(spent for spent in map(_spent, parts) if spent is not None)
    looked_at = not parts or any(part.state in ("opened", "closed") and _spent(part) is None for part in parts)
    return known + (row.progress.spent if row.progress and looked_at else 0.0)


def _spent(plan: AnnotationPlan) -> float | None:
    """What one part of a plan has cost. None while its pool is still open."""
    return plan.progress.spent if plan.progress else None
