"""What a day's annotation will ask and cost, fixed before any money is spent.

The plan is `annotation.json`. Its sample depends on the seed, the day and the image ids alone, so a repeated run plans the
same; once written it is kept, whatever the settings have become since. As long as no pool was asked for, its end is set anew, and
a plan is made again whose images are no longer there, or whose day was taken in again with others.
"""

from __future__ import annotations

import logging
import math
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from driftwatch.artifacts.keys import MonitorKeys, own_key
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import AnnotationConfig, MonitorConfig
from driftwatch.errors import ChangedImage, NeedsAttention
from driftwatch.labels.known_images import control_tasks, plan_exam, seeded_order
from driftwatch.labels.sample_size import choose_size
from driftwatch.remedies import broken
from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

# What a plan has learnt of the outside, which stays when it is made again.
_LEARNT = ("state", "project_id", "exam_id", "creations", "operation_ids")
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


def plan_labelling(
    store: MonitorStore,
    day: date,
    now: datetime,
    can_show: Callable[[str, str], bool] | None = None,
) -> dict[str, Any]:
    """The day's plan: the one that is recorded already, else a new one, which is not written yet.

    `now` (aware) sets when the pool and the image links end. `can_show(image_id, key)`: whether the file still is the image that was
    taken in; others take the place of those that are not, which the plan lists as `changed`. Raises OverBudget before anything
    is spent.
    """
    keys = store.keys.day(day)
    kept = (
        _with_own_keys(store.storage.read_json(keys.annotation), store.keys)
        if store.storage.exists(keys.annotation)
        else None
    )
    if kept and (kept["pool_id"] or kept["creations"].get("pool")):
        return kept
    annotation = store.config.annotation
    manifest = store.storage.read_table(keys.manifest)
    rows = manifest[manifest["status"] == "accepted"]
    accepted = {
        image_id: own_key(store.keys.monitor, key) for image_id, key in zip(rows["image_id"], rows["key"], strict=True)
    }
    if (
        kept
        and _still_drawn(store.config, day, accepted, kept, can_show)
        and _can_be_shown(store.storage, accepted, kept)
    ):
        return with_new_end(kept, annotation, now)
    size = _sample_size(store, day)
    sample, changed = _draw(
        seeded_order(accepted, annotation.seed, store.config.name, day), size["images"], accepted, can_show
    )
    _refuse_all_changed(store.storage, keys.incoming, sample, changed)
    cost = cost_of(len(sample), annotation)
    _check_limits(store, day, cost["total"])
    exam = plan_exam(store, _text(now + EXAM_LINKS), can_show)
    asked = {entry["image_id"] for entry in exam["tasks"]} if exam else set()
    plan = {
        "day": day.isoformat(),
        "state": "planned",
        "seed": annotation.seed,
        "overlap": annotation.overlap,
        "sample_size": size,
        "sample": [{"image_id": image_id, "key": accepted[image_id]} for image_id in sorted(sample)],
        **({"changed": [{"image_id": image_id, "key": accepted[image_id]} for image_id in changed]} if changed else {}),
        "control": control_tasks(store, day, set(accepted) | asked, can_show),
        "exam": exam,
        "cost": cost,
        "project_id": None,
        "exam_id": None,
        "pool_id": None,
        "creations": {},
        "operation_ids": [],
    }
    learnt = {name: kept[name] for name in _LEARNT} if kept else {}
    return with_new_end({**plan, **learnt}, annotation, now)


def _still_drawn(
    config: MonitorConfig,
    day: date,
    accepted: dict[str, str],
    plan: dict[str, Any],
    can_show: Callable[[str, str], bool] | None,
) -> bool:
    """Whether a plan's sample is still the one that its settings draw: images that came since may take part while nobody was asked."""
    order = seeded_order(accepted, plan["seed"], config.name, day)
    sample, _ = _draw(order, plan["sample_size"]["images"], accepted, can_show)
    return sorted(sample) == sorted(entry["image_id"] for entry in plan["sample"])


def _can_be_shown(storage: Storage, accepted: Mapping[str, str], plan: dict[str, Any]) -> bool:
    """Whether the images of a plan are all still there: the day may have been taken in again, without some of them."""
    exam = plan.get("exam") or {"tasks": []}
    return all(accepted.get(entry["image_id"]) == entry["key"] for entry in plan["sample"]) and all(
        storage.exists(entry["key"]) for entry in (*plan["control"], *exam["tasks"])
    )


def with_new_end(plan: dict[str, Any], annotation: AnnotationConfig, now: datetime) -> dict[str, Any]:
    """The plan of a pool that is made now: it, its image links and those of a new exam end `expire_hours` and so on from `now`."""
    expires = now + timedelta(hours=annotation.expire_hours)
    exam = {**plan["exam"], "links_end": _text(now + EXAM_LINKS)} if plan.get("exam") else None
    return {**plan, "exam": exam, "expires": _text(expires), "links_expire": _text(expires + LINK_MARGIN)}


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def _with_own_keys(plan: dict[str, Any], layout: MonitorKeys) -> dict[str, Any]:
    """A recorded plan whose images are found also where the monitor had another name then."""

    def own(entries: list[dict[str, str]]) -> list[dict[str, str]]:
        return [
            {**entry, "key": own_key(layout.monitor, entry["key"])} if "key" in entry else entry for entry in entries
        ]

    found = {**plan, **{name: own(plan[name]) for name in ("sample", "control") if plan.get(name)}}
    if plan.get("exam"):
        found["exam"] = {**plan["exam"], "tasks": own(plan["exam"]["tasks"])}
    return found


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


def _sample_size(store: MonitorStore, day: date) -> dict[str, Any]:
    """How many images to ask about; with `auto`, a month's budget left is shared out evenly over the days left of it."""
    annotation = store.config.annotation
    if annotation.sample_size != "auto":
        return {"images": annotation.sample_size}
    days_left = monthrange(day.year, day.month)[1] - day.day + 1
    left = (annotation.max_cost_per_month - _spent_in_month(store, day)) / days_left
    return choose_size(store, day, images_for(min(left, annotation.max_cost_per_day), annotation))


def _check_limits(store: MonitorStore, day: date, total: float) -> None:
    annotation = store.config.annotation
    if total > annotation.max_cost_per_day:
        raise OverBudget(
            f"labelling {day} would cost {total:.2f} USD, above annotation.max_cost_per_day {annotation.max_cost_per_day:.2f}: "
            "lower sample_size or overlap, or raise the limit in the monitor file; nothing was created"
        )
    spent = _spent_in_month(store, day)
    if spent + total > annotation.max_cost_per_month:
        raise OverBudget(
            f"labelling {day} would bring {day:%Y-%m} to {spent + total:.2f} USD (what ended days have cost, and what the others "
            f"are planned to), above annotation.max_cost_per_month {annotation.max_cost_per_month:.2f}: raise the limit in the monitor file; nothing was created"
        )


def _spent_in_month(store: MonitorStore, day: date) -> float:
    """USD with the fee for the other days of the day's calendar month: what they have cost, or are planned to."""
    month = (day.year, day.month)
    others = [other for other in store.days() if (other.year, other.month) == month and other != day]
    return sum(_cost_of_day(store, other) for other in others)


def _cost_of_day(store: MonitorStore, day: date) -> float:
    key = store.keys.day(day).annotation
    if not store.storage.exists(key):
        return 0.0
    plan = store.storage.read_json(key)
    try:
        return counted(plan)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise broken(
            store.storage.url(key), key, f"does not say what its labels cost ({type(error).__name__}: {error})"
        ) from error


def counted(plan: Mapping[str, Any]) -> float:
    """USD with the fee that count towards the limits: what a finished day has cost, what another one is planned to."""
    return float(plan["progress"]["spent"] if plan.get("state") == "closed" else plan["cost"]["total"])


def describe(plan: dict[str, Any], config: MonitorConfig) -> str:
    """One sentence for logs and dry runs."""
    cost, annotation = plan["cost"], config.annotation
    changed = f" ({len(plan['changed'])} left out, their files have changed since)" if plan.get("changed") else ""
    return (
        f"{len(plan['sample'])} images{changed} x {plan['overlap']} annotators with {len(plan['control'])} control tasks: "
        f"{cost['pages']} pages at {cost['reward_per_page']:.2f} USD + {annotation.fee_share:.0%} fee = {cost['total']:.2f} USD"
    )
