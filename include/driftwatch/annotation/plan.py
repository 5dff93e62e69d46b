"""What a day's annotation will ask and cost, fixed before any money is spent.

The plan is `annotation.json`. Its sample depends on the seed, the day and the image ids alone, so a repeated run plans the
same; once written it is kept, whatever the settings have become since.
"""

from __future__ import annotations

import math
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from driftwatch.annotation.known_images import control_tasks, plan_exam, seeded_order
from driftwatch.config import AnnotationConfig, MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.layout import MonitorLayout
from driftwatch.performance.sample_size import choose_size
from driftwatch.storage import Storage

# Image links outlive the pool, so that a page taken at the last moment can still be answered.
LINK_MARGIN = timedelta(hours=4)
# An exam serves several days: its links live as long as S3 allows, seven days, less an hour for clocks that differ.
EXAM_LINKS = timedelta(days=7, hours=-1)


class OverBudget(NeedsAttention):
    """The day would cost more than the monitor file or the Toloka account allows."""


def cost_of(images: int, annotation: AnnotationConfig) -> dict[str, Any]:
    """Pages and USD that `images` cost: every image goes to `overlap` workers, control tasks fill the rest of the pages."""
    pages = math.ceil(images / annotation.tasks_per_page) * annotation.overlap
    reward = pages * annotation.reward_per_page
    fee = reward * annotation.fee_share
    return {
        "pages": pages,
        "tasks_per_page": annotation.tasks_per_page,
        "reward_per_page": annotation.reward_per_page,
        "reward": round(reward, 4),
        "fee": round(fee, 4),
        "total": round(reward + fee, 4),
        "currency": "USD",
        "control_share": round(
            annotation.control_tasks_per_page / (annotation.tasks_per_page + annotation.control_tasks_per_page), 4
        ),
    }


def images_for(usd: float, annotation: AnnotationConfig) -> int:
    """The most images that cost at most `usd` by `cost_of`: whole pages, as every page begun is paid."""
    page = cost_of(1, annotation)["total"]
    return max(0, math.floor(usd / page + 1e-9)) * annotation.tasks_per_page


def plan_day(
    storage: Storage, layout: MonitorLayout, config: MonitorConfig, day: date, now: datetime
) -> dict[str, Any]:
    """The day's plan: the one that is recorded already, else a new one, which is not written yet.

    `now` (aware) sets when the pool and the image links end. Raises OverBudget before anything is spent.
    """
    keys = layout.day(day)
    if storage.exists(keys.annotation):
        return storage.read_json(keys.annotation)
    annotation = config.annotation
    manifest = storage.read_table(keys.manifest)
    accepted = manifest[manifest["status"] == "accepted"].set_index("image_id")["key"].to_dict()
    size = _sample_size(storage, layout, config, day)
    sample = seeded_order(accepted, annotation.seed, config.name, day)[: size["images"]]
    cost = cost_of(len(sample), annotation)
    _check_limits(storage, layout, config, day, cost["total"])
    expires = now + timedelta(hours=annotation.expire_hours)
    exam = plan_exam(storage, layout, config, (now + EXAM_LINKS).isoformat(timespec="seconds"))
    asked = {entry["image_id"] for entry in exam["tasks"]} if exam else set()
    return {
        "day": day.isoformat(),
        "state": "planned",
        "seed": annotation.seed,
        "overlap": annotation.overlap,
        "sample_size": size,
        "sample": [{"image_id": image_id, "key": accepted[image_id]} for image_id in sorted(sample)],
        "control": control_tasks(storage, layout, config, day, exclude=set(accepted) | asked),
        "exam": exam,
        "cost": cost,
        "expires": expires.isoformat(timespec="seconds"),
        "links_expire": (expires + LINK_MARGIN).isoformat(timespec="seconds"),
        "project_id": None,
        "exam_id": None,
        "pool_id": None,
        "creations": {},
        "operation_ids": [],
    }


def _sample_size(storage: Storage, layout: MonitorLayout, config: MonitorConfig, day: date) -> dict[str, Any]:
    """How many images to ask about; with `auto`, a month's budget left is shared out evenly over the days left of it."""
    annotation = config.annotation
    if annotation.sample_size != "auto":
        return {"images": annotation.sample_size}
    days_left = monthrange(day.year, day.month)[1] - day.day + 1
    left = (annotation.max_cost_per_month - _spent_in_month(storage, layout, day)) / days_left
    return choose_size(storage, layout, config, day, images_for(min(left, annotation.max_cost_per_day), annotation))


def _check_limits(storage: Storage, layout: MonitorLayout, config: MonitorConfig, day: date, total: float) -> None:
    annotation = config.annotation
    if total > annotation.max_cost_per_day:
        raise OverBudget(
            f"labelling {day} would cost {total:.2f} USD, above annotation.max_cost_per_day {annotation.max_cost_per_day:.2f}: "
            "lower sample_size or overlap, or raise the limit in the monitor file; nothing was created"
        )
    spent = _spent_in_month(storage, layout, day)
    if spent + total > annotation.max_cost_per_month:
        raise OverBudget(
            f"labelling {day} would bring {day:%Y-%m} to {spent + total:.2f} USD (what ended days have cost, and what the others "
            f"are planned to), above annotation.max_cost_per_month {annotation.max_cost_per_month:.2f}: raise the limit in the monitor file; nothing was created"
        )


def _spent_in_month(storage: Storage, layout: MonitorLayout, day: date) -> float:
    """USD with the fee for the other days of the day's calendar month: what they have cost, or are planned to."""
    others = (
        name for name in storage.folders(layout.days) if name.startswith(f"{day:%Y-%m}") and name != day.isoformat()
    )
    return sum(_cost_of_day(storage, layout, other) for other in others)


def _cost_of_day(storage: Storage, layout: MonitorLayout, day: str) -> float:
    key = layout.day(date.fromisoformat(day)).annotation
    return counted(storage.read_json(key)) if storage.exists(key) else 0.0


def counted(plan: Mapping[str, Any]) -> float:
    """USD with the fee that count towards the limits: what a finished day has cost, what another one is planned to."""
    return float(plan["progress"]["spent"] if plan.get("state") == "closed" else plan["cost"]["total"])


def describe(plan: dict[str, Any], config: MonitorConfig) -> str:
    """One sentence for logs and dry runs."""
    cost, annotation = plan["cost"], config.annotation
    return (
        f"{len(plan['sample'])} images x {plan['overlap']} annotators with {len(plan['control'])} control tasks: "
        f"{cost['pages']} pages at {cost['reward_per_page']:.2f} USD + {annotation.fee_share:.0%} fee = {cost['total']:.2f} USD"
    )
