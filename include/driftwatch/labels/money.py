"""What labels cost, and the limits of the monitor file."""

from __future__ import annotations

import math

from driftwatch.artifacts.annotation import AnnotationPlan, Cost
from driftwatch.artifacts.store import DayStore
from driftwatch.config import AnnotationConfig
from driftwatch.errors import NeedsAttention
from driftwatch.remedies import broken


class OverBudget(NeedsAttention):
    """The day would cost more than the monitor file or the account at the service allows."""


def cost_of(images: int, annotation: AnnotationConfig) -> Cost:
    """Pages and USD that `images` cost: every image goes to `overlap` annotators, control tasks fill the rest of the pages."""
    pages = math.ceil(images / annotation.tasks_per_page) * annotation.overlap
    reward = pages * annotation.reward_per_page
    fee = reward * annotation.fee_share
    shown = annotation.tasks_per_page + annotation.control_tasks_per_page
    return Cost(
        pages=pages,
        tasks_per_page=annotation.tasks_per_page,
        reward_per_page=annotation.reward_per_page,
        reward=round(reward, 4),
        fee=round(fee, 4),
        total=round(reward + fee, 4),
        currency="USD",
        control_share=round(annotation.control_tasks_per_page / shown, 4),
    )


def images_for(usd: float, annotation: AnnotationConfig) -> int:
    """The most images that cost at most `usd` by `cost_of`: whole pages, as every page begun is paid."""
    page = cost_of(1, annotation).total
    return max(0, math.floor(usd / page + 1e-9)) * annotation.tasks_per_page


def counted(state: str | None, planned: float, spent: float | None) -> float | None:
    """How many USD of a day, fee included, count towards the limits: what it has cost once its pool has ended, before that what it is
    planned to cost.

    None if the pool has ended and the day does not say what it cost.
    """
    return spent if state == "closed" else planned


def refuse_over_limits(day: DayStore, total: float) -> None:
    """Raises OverBudget where `total` USD more bring the day or its calendar month above its limit."""
    annotation = day.config.annotation
    if total > annotation.max_cost_per_day:
        raise OverBudget(
            f"labelling {day.date} would cost {total:.2f} USD, above annotation.max_cost_per_day {annotation.max_cost_per_day:.2f}: "
            "lower sample_size or overlap, or raise the limit in the monitor file; nothing was created"
        )
    spent = spent_in_month(day)
    if spent + total > annotation.max_cost_per_month:
        raise OverBudget(
            f"labelling {day.date} would bring {day.date:%Y-%m} to {spent + total:.2f} USD (what ended days have cost, and what the others "
            f"are planned to), above annotation.max_cost_per_month {annotation.max_cost_per_month:.2f}: raise the limit in the monitor file; nothing was created"
        )


def spent_in_month(day: DayStore) -> float:
    """How many USD of the calendar month's limit, fee included, its other days take: what they have cost, or are planned to cost."""
    month = (day.date.year, day.date.month)
    others = [other for other in day.monitor.days() if (other.year, other.month) == month and other != day.date]
    return sum(_cost_of_day(day.monitor.day(other)) for other in others)


def _cost_of_day(day: DayStore) -> float:
    plan = day.find(AnnotationPlan)
    if plan is None:
        return 0.0
    cost = counted(plan.state, plan.cost.total, plan.progress.spent if plan.progress else None)
    if cost is None:
        key = day.key(AnnotationPlan)
        raise broken(day.storage.url(key), key, "does not say what its labels cost (progress: it is absent)")
    return cost
