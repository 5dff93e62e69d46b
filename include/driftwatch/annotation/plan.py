"""What a day's annotation will ask and cost, fixed before any money is spent.

The plan is `annotation.json`. Its sample depends on the seed, the day and the image ids alone, so a repeated run plans the
same; once written it is kept, whatever the settings have become since.
"""

from __future__ import annotations

import logging
import math
from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from driftwatch.annotation.known_images import control_tasks, plan_exam, seeded_order
from driftwatch.config import AnnotationConfig, MonitorConfig
from driftwatch.errors import ChangedImage, NeedsAttention
from driftwatch.layout import MonitorLayout
from driftwatch.performance.sample_size import choose_size
from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

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
    storage: Storage,
    layout: MonitorLayout,
    config: MonitorConfig,
    day: date,
    now: datetime,
    can_show: Callable[[str, str], bool] | None = None,
) -> dict[str, Any]:
    """The day's plan: the one that is recorded already, else a new one, which is not written yet.

    `now` (aware) sets when the pool and the image links end. `can_show(image_id, key)`: whether the file still is the image that was
    taken in; others take the place of those that are not, which the plan lists as `changed`. Raises OverBudget before anything
    is spent.
    """
    keys = layout.day(day)
    if storage.exists(keys.annotation):
        return storage.read_json(keys.annotation)
    annotation = config.annotation
    manifest = storage.read_table(keys.manifest)
    accepted = manifest[manifest["status"] == "accepted"].set_index("image_id")["key"].to_dict()
    size = _sample_size(storage, layout, config, day)
    sample, changed = _draw(
        seeded_order(accepted, annotation.seed, config.name, day), size["images"], accepted, can_show
    )
    _refuse_all_changed(storage, keys.incoming, sample, changed)
    cost = cost_of(len(sample), annotation)
    _check_limits(storage, layout, config, day, cost["total"])
    expires = now + timedelta(hours=annotation.expire_hours)
    exam = plan_exam(storage, layout, config, (now + EXAM_LINKS).isoformat(timespec="seconds"), can_show)
    asked = {entry["image_id"] for entry in exam["tasks"]} if exam else set()
    return {
        "day": day.isoformat(),
        "state": "planned",
        "seed": annotation.seed,
        "overlap": annotation.overlap,
        "sample_size": size,
        "sample": [{"image_id": image_id, "key": accepted[image_id]} for image_id in sorted(sample)],
        **({"changed": [{"image_id": image_id, "key": accepted[image_id]} for image_id in changed]} if changed else {}),
        "control": control_tasks(storage, layout, config, day, set(accepted) | asked, can_show),
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


def _draw(
    order: list[str], wanted: int, keys: dict[str, str], can_show: Callable[[str, str], bool] | None
) -> tuple[list[str], list[str]]:
    """The first `wanted` images that can be shown, and those before them that cannot."""
    sample: list[str] = []
    changed: list[str] = []
    for image_id in order:
        if len(sample) == wanted:
            break
        (sample if can_show is None or can_show(image_id, keys[image_id]) else changed).append(image_id)
    return sample, changed


def _refuse_all_changed(storage: Storage, folder: str, sample: list[str], changed: list[str]) -> None:
    if not changed:
        return
    advice = f"the files in {storage.url(folder)} are not those that were taken in: clear ingest_images to take in what is there now"
    if not sample:
        raise ChangedImage(f"none of {len(changed)} images can be shown, {advice}")
    logger.warning("%d images are left out of the sample, others take their place; %s", len(changed), advice)


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
            f"labelling {day} would bring {day:%Y-%m} to {spent + total:.2f} USD, above annotation.max_cost_per_month "
            f"{annotation.max_cost_per_month:.2f}: raise the limit in the monitor file; nothing was created"
        )


def _spent_in_month(storage: Storage, layout: MonitorLayout, day: date) -> float:
    """USD with the fee for the other days of the day's calendar month: what they have cost, or are planned to."""
    others = (
        name for name in storage.folders(layout.days) if name.startswith(f"{day:%Y-%m}") and name != day.isoformat()
    )
    return sum(_cost_of_day(storage, layout, other) for other in others)


def _cost_of_day(storage: Storage, layout: MonitorLayout, day: str) -> float:
    """USD with the fee: what a finished day has cost, what another one is planned to."""
    key = layout.day(date.fromisoformat(day)).annotation
    plan = storage.read_json(key) if storage.exists(key) else None
    if plan is None:
        return 0.0
    return float(plan["progress"]["spent"] if plan["state"] == "closed" else plan["cost"]["total"])


def describe(plan: dict[str, Any], config: MonitorConfig) -> str:
    """One sentence for logs and dry runs."""
    cost, annotation = plan["cost"], config.annotation
    changed = f" ({len(plan['changed'])} left out, their files have changed since)" if plan.get("changed") else ""
    return (
        f"{len(plan['sample'])} images{changed} x {plan['overlap']} annotators with {len(plan['control'])} control tasks: "
        f"{cost['pages']} pages at {cost['reward_per_page']:.2f} USD + {annotation.fee_share:.0%} fee = {cost['total']:.2f} USD"
    )
