"""What a day's annotation will ask and cost, fixed before any money is spent.

The plan is `annotation.json`. Its sample depends on the seed, the day and the image ids alone, so a repeated run plans the
same. Once written it is kept, whatever the settings have become since. As long as no pool was asked for, its end is set anew. It
is made again where its images are no longer there, where the day was taken in again with others, or where other people label now.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta
from typing import TypeVar

from driftwatch.artifacts.annotation import AnnotationPlan, SampledImage, SampleSize
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import DayStore
from driftwatch.config import LabelsConfig
from driftwatch.config.labels import TOLOKA
from driftwatch.labels.draw import Wanted, draw_sample
from driftwatch.labels.known_images import control_tasks, is_there, plan_exam
from driftwatch.labels.money import cost_of, images_for, refuse_over_limits, spent_in_month
from driftwatch.labels.sample import Accepted, CanShow, ManyAccepted, accepted_of_any_day
from driftwatch.labels.sample_size import choose_size

Image = TypeVar("Image", bound=SampledImage)

# What a plan has learnt of the outside, which stays when it is made again.
LEARNT = ("state", "project_id", "exam_id", "creations", "operation_ids")
# Image links outlive the pool, so that a page taken at the last moment can still be answered.
LINK_MARGIN = timedelta(hours=4)
# An exam serves several days: its links live as long as S3 allows, seven days, less an hour for clocks that differ.
EXAM_LINKS = timedelta(days=7, hours=-1)


def plan_labelling(day: DayStore, now: datetime, can_show: CanShow | None = None) -> AnnotationPlan:
    """The day's plan: the one that is recorded already, else a new one, which is not written yet.

    `now` (aware) sets when the pool and the image links end. Images that `can_show` refuses are left out, others take their place, and
    the plan lists them as `changed`. Raises OverBudget before anything is spent.
    """
    found = day.find(AnnotationPlan)
    kept = _with_own_keys(found, day.config.name) if found else None
    if kept and kept.asked:
        return kept
    if kept and kept.backend != day.config.labels.people:
        kept = None  # what it has learnt is of another service, where nobody was asked
    accepted = accepted_of_any_day(day)
    if kept and _still_drawn(kept, accepted, can_show) and _can_be_shown(day, kept, accepted):
        return with_new_end(kept, day.config.labels, now)
    plan = _new_plan(day, now, accepted, can_show)
    return plan.model_copy(update={name: getattr(kept, name) for name in LEARNT}) if kept else plan


def _new_plan(
    day: DayStore, now: datetime, accepted: Accepted | ManyAccepted, can_show: CanShow | None
) -> AnnotationPlan:
    annotation = day.config.labels
    size = _sample_size(day)
    stratified = annotation.sampling == "stratified"
    wanted = Wanted(annotation.seed, size.images, stratified, annotation.extra_for_training)
    sample = draw_sample(accepted, wanted, can_show)
    sample.tell_changed(day)
    cost = cost_of(len(sample.images) + len(sample.extra), annotation)
    refuse_over_limits(day, cost.total)
    exam = plan_exam(day.monitor, _to_the_second(now + EXAM_LINKS), can_show)
    asked = {task.image_id for task in exam.tasks} if exam else set()
    plan = AnnotationPlan(
        day=day.date,
        state="planned",
        seed=annotation.seed,
        overlap=annotation.overlap,
        sample_size=size,
        sample=sample.images,
        control=control_tasks(day, lambda ids: asked.union(accepted.among(ids)), can_show),
        exam=exam,
        cost=cost,
        project_id=None,
        exam_id=None,
        pool_id=None,
        creations={},
        operation_ids=(),
        expires=pool_end(annotation, now),
        links_expire=links_end(annotation, now),
    )
    facts: dict[str, object] = {
        "changed": sample.changed,
        "backend": annotation.people,
        "strata": sample.strata,
        "extra": sample.extra,
    }
    usual = {"changed": (), "backend": TOLOKA, "strata": (), "extra": ()}
    return plan.model_copy(update={name: fact for name, fact in facts.items() if fact != usual[name]})


def _still_drawn(plan: AnnotationPlan, accepted: Accepted | ManyAccepted, can_show: CanShow | None) -> bool:
    """Whether a plan's sample is still the one that its settings draw, from the same strata: images that came since may take part while
    nobody was asked."""
    wanted = Wanted(plan.seed, plan.sample_size.images, bool(plan.strata), len(plan.extra))
    sample = draw_sample(accepted, wanted, can_show)
    drawn = _ids(sample.images) == _ids(plan.sample) and _ids(sample.extra) == _ids(plan.extra)
    return drawn and sample.strata == plan.strata


def _ids(images: tuple[SampledImage, ...]) -> list[str]:
    return sorted(image.image_id for image in images)


def _can_be_shown(day: DayStore, plan: AnnotationPlan, accepted: Accepted | ManyAccepted) -> bool:
    """Whether the images of a plan are all still there: the day may have been taken in again, without some of them."""
    known = [*plan.control, *(plan.exam.tasks if plan.exam else ())]
    there = accepted.among([image.image_id for image in plan.to_label])
    return all(there.get(image.image_id) == image.key for image in plan.to_label) and all(
        is_there(day.monitor, task.key) for task in known
    )


def with_new_end(plan: AnnotationPlan, annotation: LabelsConfig, now: datetime) -> AnnotationPlan:
    """The plan of a pool that is made now: the ends of the pool, of its image links and of a new exam's links are counted from `now`."""
    exam = plan.exam.model_copy(update={"links_end": _to_the_second(now + EXAM_LINKS)}) if plan.exam else None
    ends = {"expires": pool_end(annotation, now), "links_expire": links_end(annotation, now)}
    return plan.model_copy(update={"exam": exam, **ends})


def pool_end(annotation: LabelsConfig, now: datetime) -> datetime:
    """The end of a pool that is made now."""
    return _to_the_second(now + timedelta(hours=annotation.expire_hours))


def links_end(annotation: LabelsConfig, now: datetime) -> datetime:
    """The end of the image links of a pool that is made now."""
    return pool_end(annotation, now) + LINK_MARGIN


def too_late(left: timedelta, annotation: LabelsConfig) -> bool:
    """Whether a pool that is opened with so much time left would end before it is answered."""
    return left < timedelta(hours=annotation.expire_hours) / 10


def _to_the_second(time: datetime) -> datetime:
    """As it is written, so that a plan says the same before and after it is read again."""
    return time.replace(microsecond=0)


def _with_own_keys(plan: AnnotationPlan, monitor: str) -> AnnotationPlan:
    """The recorded plan with the images' keys of today: the monitor may have had another name then."""

    def own(images: tuple[Image, ...]) -> tuple[Image, ...]:
        return tuple(image.model_copy(update={"key": own_key(monitor, image.key)}) for image in images)

    exam = plan.exam.model_copy(update={"tasks": own(plan.exam.tasks)}) if plan.exam else None
    found = plan.model_copy(update={"sample": own(plan.sample), "control": own(plan.control), "exam": exam})
    return found.model_copy(update={"extra": own(plan.extra)}) if plan.extra else found


def _sample_size(day: DayStore) -> SampleSize:
    """How many images to ask about; with `auto`, what is left of the month's budget is divided evenly among its days from this one on."""
    annotation = day.config.labels
    if annotation.sample_size != "auto":
        return SampleSize(images=annotation.sample_size)
    days_left = monthrange(day.date.year, day.date.month)[1] - day.date.day + 1
    left = (annotation.max_cost_per_month - spent_in_month(day)) / days_left
    affordable = images_for(min(left, annotation.max_cost_per_day), annotation)
    return choose_size(day, max(affordable - annotation.extra_for_training, 0))


def describe(plan: AnnotationPlan, annotation: LabelsConfig) -> str:
    """One sentence for logs and dry runs."""
    cost = plan.cost
    changed = f" ({len(plan.changed)} left out, their files have changed since)" if plan.changed else ""
    extra = f" and {len(plan.extra)} for training" if plan.extra else ""
    what = (
        f"{len(plan.sample)} images{changed}{extra} x {plan.overlap} annotators with {len(plan.control)} control tasks"
    )
    if cost.hours is not None:
        return f"{what}: about {cost.hours:.1f} hours at {cost.price_per_hour:.2f} USD = {cost.total:.2f} USD"
    return f"{what}: {cost.pages} pages at {cost.reward_per_page:.2f} USD + {annotation.fee:.0%} fee = {cost.total:.2f} USD"
