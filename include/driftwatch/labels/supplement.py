"""A sample of the images that came after the day's own sample was drawn, asked about in a pool of its own.

Each late image is drawn with the chance that the images before it had. So all samples of a day together are one random sample of all
its images, each with the same chance, and every estimate weighs them right as it is. Where the budget is too small for that, all
images get the chance that a sample drawn anew would give them; what was asked about beyond it is left out of the estimate.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from driftwatch.artifacts.annotation import AnnotationPlan, Cost, LateDraw, NotAsked, SampleSize, Stratum
from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.artifacts.store import DayStore
from driftwatch.config.labels import TOLOKA
from driftwatch.errors import DamagedArtifact
from driftwatch.images.late import images_on_time, late_images
from driftwatch.labels.known_images import control_tasks
from driftwatch.labels.money import cost_of, cost_of_plan, over_limits
from driftwatch.labels.plan import LEARNT, describe, with_new_end
from driftwatch.labels.sample import Accepted, CanShow, ManyAccepted, Sample, accepted_of_any_day, seeded_order

log = logging.getLogger(__name__)


def with_supplement(
    day: DayStore, plan: AnnotationPlan, now: datetime, can_show: CanShow | None = None
) -> tuple[AnnotationPlan, Collection[str]]:
    """The day's plan with a supplement for the images that came since, not written yet, and the ids of the images that it is drawn from.

    `plan`: with a pool that was asked for. Without late images it stays as it is. A supplement that was planned before, and for which
    nobody was asked yet, is planned anew. It may have no image: then chance has drawn none, and the samples stand for the late images
    as they are. Where it would cost more than the limits allow, there is none, and `not_asked` says why. `now`, `can_show`: as for
    `plan_labelling`.
    """
    earlier = tuple(part for part in plan.supplements if part.asked)
    planned = next((part for part in plan.supplements if not part.asked), None)
    late = late_images(day, earlier)
    plan = _set(plan, supplements=earlier, not_asked=None)
    if not late:
        return plan, late
    accepted = accepted_of_any_day(day)
    if gone := _gone(accepted, (plan, *earlier)):
        return _set(plan, not_asked=NotAsked(images=len(late), reason=gone)), late
    draw = _Draw(day, plan, late, accepted)
    reason = None
    for share in draw.shares():
        sample, cost = draw.sample(share, can_show)
        refused = over_limits(day, cost_of_plan(day, plan) + cost.total)
        if refused is None and sample.changed and not sample.images:
            refused = f"none of the {len(sample.changed)} files drawn is what was taken in: clear ingest_images to take in what is there now"
        if refused is None:
            part = draw.part(share, sample, cost, now, can_show)
            if planned is not None:
                part = part.model_copy(update={name: getattr(planned, name) for name in LEARNT})
            return _set(plan, supplements=(*earlier, part)), late
        reason = refused
    return _set(plan, not_asked=NotAsked(images=len(late), reason=str(reason))), late


def gone_from_sample(day: DayStore) -> str:
    """Says that images which people were asked about are no images of the day any more, since it was taken in again; empty where all are
    there."""
    try:
        plan = day.find(AnnotationPlan)
    except DamagedArtifact:
        return ""  # whoever needs the plan says that it is damaged
    if plan is None or not plan.asked:
        return ""
    return _gone(accepted_of_any_day(day), (plan, *(part for part in plan.supplements if part.asked)))


def _gone(accepted: Accepted | ManyAccepted, plans: Sequence[AnnotationPlan]) -> str:
    """What to say of the images of these plans' samples that the day has no more. A forgotten image is none of them."""
    ids = [image.image_id for plan in plans for image in plan.sample if not image.image_id.startswith(FORGOTTEN)]
    there = accepted.among(ids)
    gone = [image_id for image_id in ids if image_id not in there]
    if not gone:
        return ""
    return (
        f"gone from the day are {len(gone)} of its {len(ids)} sampled images, the first is {gone[0]}, so it cannot be evaluated anew. Put the "
        "files back and clear ingest_images; if they are gone for good, the verdict that the day has stays"
    )


def tell(plan: AnnotationPlan, day: DayStore) -> None:
    """Logs what became of the late images: the newest supplement, or why there is none."""
    if plan.not_asked is not None:
        log.warning("The day is judged on the samples before these images%s", not_asked(plan))
    newest = plan.supplements[-1] if plan.supplements else None
    if newest is None or newest.late is None or newest.asked:
        return
    said = describe(newest, day.config.labels) if newest.sample else "chance has drawn none of them"
    log.info("Supplement %d for %d late images: %s", newest.number, newest.late.images, said)


def not_asked(plan: AnnotationPlan) -> str:
    """What to say of late images about which nobody is asked, after a sentence; empty where there are none."""
    found = plan.not_asked
    return f"; nobody is asked about {found.images} images that came later: {found.reason}" if found else ""


@dataclass(frozen=True)
class _Draw:
    """What a supplement of a day is drawn from. `plan`: with the supplements before it; `late`: the ids of the images that came since."""

    day: DayStore
    plan: AnnotationPlan
    late: Collection[str]
    accepted: Accepted | ManyAccepted

    @cached_property
    def _late_accepted(self) -> Accepted | ManyAccepted:
        if isinstance(self.accepted, ManyAccepted):
            return replace(self.accepted, only=self.late)
        return Accepted(self.day, self.accepted.among(self.late))

    @property
    def _number(self) -> int:
        return len(self.plan.supplements) + 1

    @property
    def _share_before(self) -> float:
        """The chance that the images had until now."""
        if self.plan.supplements and self.plan.supplements[-1].late:
            return self.plan.supplements[-1].late.share
        return min(1.0, len(self.plan.sample) / max(images_on_time(self.day), 1))

    def shares(self) -> list[float]:
        """The chances that the day's images may have from now on, the best first: that of before, and that of a sample of the wanted size
        of the whole day. Where all images were asked about, it is the latter at once, unless all may be asked about again."""
        before, whole = self._share_before, self.accepted.images
        anew = min(1.0, self.plan.sample_size.images / whole)
        if anew >= before:
            return [before]
        return [before, anew] if before < 1 else [anew]

    @property
    def _stratum(self) -> str | None:
        """The name of the late images' own stratum, where the sample has strata: then the estimate weighs them by it."""
        return f"came late, supplement {self._number}" if self.plan.strata else None

    def sample(self, share: float, can_show: CanShow | None) -> tuple[Sample, Cost]:
        wanted = self._rounded(share * len(self.late), "late")
        if self._stratum is not None:
            wanted = max(wanted, 1)  # a stratum without a label is covered by no estimate
        sample = self._late_accepted.draw(self.plan.seed, wanted, can_show)
        cost = cost_of(len(sample.images), self.day.config.labels)
        free = {"hours": 0.0, "reward": 0.0, "total": 0.0} if cost.hours is not None and not sample.images else {}
        return sample, cost.model_copy(update=free)

    def part(self, share: float, sample: Sample, cost: Cost, now: datetime, can_show: CanShow | None) -> AnnotationPlan:
        exam = self.plan.exam
        asked = {task.image_id for task in (exam.tasks if exam else ())}
        part = AnnotationPlan(
            day=self.day.date,
            state="planned",
            seed=self.plan.seed,
            overlap=self.plan.overlap,
            sample_size=SampleSize(images=len(sample.images)),
            sample=sample.images,
            control=control_tasks(self.day, lambda ids: asked.union(self.accepted.among(ids)), can_show)
            if sample.images
            else (),
            exam=exam if sample.images else None,
            cost=cost,
            project_id=None,
            exam_id=None,
            pool_id=None,
            creations={},
            operation_ids=(),
            expires=self.plan.expires,
            links_expire=self.plan.links_expire,
            late=self._late_draw(share),
        )
        if self.plan.backend != TOLOKA:
            part = _set(part, backend=self.plan.backend)
        part = _set(part, changed=sample.changed)
        if self._stratum is not None:
            strata = (Stratum(name=self._stratum, images=len(self.late), asked=len(sample.images)),)
            named = tuple(image.model_copy(update={"stratum": self._stratum}) for image in sample.images)
            part = part.model_copy(update={"sample": named, "strata": strata})
        return with_new_end(part, self.day.config.labels, now) if sample.images else part

    def _late_draw(self, share: float) -> LateDraw:
        found = LateDraw(number=self._number, images=len(self.late), share=share)
        before = self._share_before
        if share >= before or self._stratum is not None:
            return found
        counted = [image_id for image_id in self.plan.asked_about if image_id not in self.plan.surplus]
        keep = self._rounded(len(counted) * share / before, "surplus")
        dropped = seeded_order(counted, self.plan.seed, self.day.config.name, self.day.date)[keep:]
        return found.model_copy(update={"surplus": tuple(sorted(dropped))}) if dropped else found

    def _rounded(self, number: float, what: str) -> int:
        """`number` as a whole one, up or down by a chance that the seed and the day fix, so that each image keeps its own."""
        salt = f"{self.plan.seed}|{self.day.config.name}|{self.day.date}|{self._number}|{what}"
        drawn = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "big") / 2**64
        whole = round(number, 9)
        return int(whole) + (drawn < whole - int(whole))


def _set(plan: AnnotationPlan, **facts: Any) -> AnnotationPlan:
    """The plan with these facts; those that say nothing are absent."""
    found = plan.model_copy(update=facts)
    for name, fact in facts.items():
        if not fact:
            found.model_fields_set.discard(name)
    return found
