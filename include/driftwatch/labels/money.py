"""What labels cost, and the limits of the monitor file."""

from __future__ import annotations

import math

from driftwatch.artifacts.annotation import AnnotationPlan, Cost
from driftwatch.artifacts.store import DayStore
from driftwatch.config import LabelsConfig
from driftwatch.config.labels import LARGEST_SAMPLE
from driftwatch.errors import NeedsAttention
from driftwatch.remedies import broken


class OverBudget(NeedsAttention):
    """The day would cost more than the monitor file or the account at the service allows."""


def cost_of(images: int, annotation: LabelsConfig) -> Cost:
    """Pages and USD that `images` cost: every image goes to `overlap` annotators, control tasks fill the rest of the pages. Where an
    annotator's time is paid, the hours that they need for the images and the control tasks, and their USD."""
    if annotation.by_hour:
        return _cost_of_hours(images, annotation)
    pages = math.ceil(images / annotation.tasks_per_page) * annotation.overlap
    reward = pages * annotation.reward_per_page
    fee = reward * annotation.fee
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


def _cost_of_hours(images: int, annotation: LabelsConfig) -> Cost:
    tasks = images + annotation.control_tasks
    hours = tasks * annotation.overlap * annotation.seconds_per_image / 3600
    reward = round(hours * annotation.price_per_hour, 4)
    return Cost(
        pages=0,
        hours=round(hours, 4),
        price_per_hour=annotation.price_per_hour,
        reward_per_page=0.0,
        reward=reward,
        fee=0.0,
        total=reward,
        currency="USD",
        control_share=round(annotation.control_tasks / max(tasks, 1), 4),
    )


def images_for(usd: float, annotation: LabelsConfig) -> int:
    """The most images that cost at most `usd` by `cost_of`: whole pages, as every page begun is paid. By the hour it is any image for which
    there is time, after the control tasks; without a price, as many as a sample may have."""
    if annotation.by_hour:
        each = annotation.overlap * annotation.seconds_per_image / 3600 * annotation.price_per_hour
        return max(0, math.floor(usd / each + 1e-9) - annotation.control_tasks) if each else LARGEST_SAMPLE
    page = cost_of(1, annotation).total
    return max(0, math.floor(usd / page + 1e-9)) * annotation.tasks_per_page


def counted(state: str | None, planned: float, spent: float | None) -> float | None:
    """How many USD of a day, fee included, count towards the limits: what it has cost once its pool has ended, before that what it is
    planned to cost.

    None if the pool has ended and the day does not say what it cost.
    """
    return spent if state == "closed" else planned


def refuse_over_limits(day: DayStore, total: float) -> None:
    """Raises OverBudget where `total` USD bring the day or its calendar month above its limit. `total`: all that the day costs."""
    reason = over_limits(day, total)
    if reason is not None:
        raise OverBudget(f"{reason}; nothing was created")


def over_limits(day: DayStore, total: float) -> str | None:
    """Why the day may not cost `total` USD, and which settings decide it; None where it may."""
    annotation = day.config.labels
    if total > annotation.max_cost_per_day:
        return (
            f"labelling {day.date} would cost {total:.2f} USD, above labels.max_cost_per_day {annotation.max_cost_per_day:.2f}: "
            "lower sample_size or overlap, or raise the limit in the monitor file"
        )
    spent = spent_in_month(day)
    if spent + total > annotation.max_cost_per_month:
        return (
            f"labelling {day.date} would bring {day.date:%Y-%m} to {spent + total:.2f} USD (what ended days have cost, and what the others "
            f"are planned to), above labels.max_cost_per_month {annotation.max_cost_per_month:.2f}: raise the limit in the monitor file"
        )
    return None


def spent_in_month(day: DayStore) -> float:
    """How many USD of the calendar month's limit, fee included, its other days take: what they have cost, or are planned to cost."""
    month = (day.date.year, day.date.month)
    others = [other for other in day.monitor.days() if (other.year, other.month) == month and other != day.date]
    return sum(_cost_of_day(day.monitor.day(other)) for other in others)


def _cost_of_day(day: DayStore) -> float:
    plan = day.find(AnnotationPlan)
    return 0.0 if plan is None else cost_of_plan(day, plan)


def cost_of_plan(day: DayStore, plan: AnnotationPlan) -> float:
    """How many USD of a day's plan, its supplements too, count towards the limits. Raises DamagedArtifact where a pool has ended and the
    plan does not say what it cost."""
    costs = [
        counted(part.state, part.cost.total, part.progress.spent if part.progress else None) for part in plan.parts
    ]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        key = day.key(AnnotationPlan)
        raise broken(day.storage.url(key), key, "does not say what its labels cost (progress: it is absent)")
    return sum(known)
