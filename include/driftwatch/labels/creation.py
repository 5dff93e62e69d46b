"""The day's pool, from the plan to the open pool, by one process at a time."""

from __future__ import annotations

import dataclasses
import logging
from datetime import datetime

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.store import DayStore
from driftwatch.images.covered import Covers
from driftwatch.images.late import keep_drawn_from
from driftwatch.labels.backends.base import LabelBackend, Opening
from driftwatch.labels.draw import keep_strata
from driftwatch.labels.links import ImageLinks, LinkSigners
from driftwatch.labels.plan import describe, plan_labelling
from driftwatch.labels.shown import ShownImages
from driftwatch.labels.supplement import tell, with_supplement
from driftwatch.storage.lock import exclusive

log = logging.getLogger(__name__)


def create_day_pool(day: DayStore, backend: LabelBackend, signers: LinkSigners, now: datetime) -> AnnotationPlan:
    """Ends with the day's pool open; returns its plan. Says the price before it is spent. `now` (aware): from when the ends of the pool and of its links are counted.

    Where images came after its sample was drawn, a supplement is drawn from them, and has a pool of its own.

    Holds the monitor's annotation lock from the first look to the end. The days share the project, the exam and the month's
    limit, so no two of them may look and then create at once. Whether the lock is still held is asked before each change.
    """
    # This may wait for the table of boxes: before the lock, which the other days wait for.
    shown = ShownImages.of_day(day)
    with exclusive(day.storage, day.monitor.keys.annotation_lock) as lock:
        # Copied before anything is planned or paid: what becomes of the files later is all the same.
        plan = plan_labelling(day, now, shown.copied)
        log.info("Plan: %s", describe(plan, day.config.labels))
        keep_strata(day, plan)

        def carry_out(plan: AnnotationPlan, part: AnnotationPlan) -> AnnotationPlan:
            """The day's plan after this part of it is open."""

            def record(learnt: AnnotationPlan) -> None:
                lock.check()
                day.write(plan.with_part(learnt))

            links = links_of(part, day, signers, now, backend.renews_links)
            part = part if part.asked else part.model_copy(update={"links_expire": links.expires})
            return plan.with_part(backend.find_or_create(Opening(part, day.config, links, now, record, lock.check)))

        plan = carry_out(plan, plan)
        known = plan
        plan, late = with_supplement(day, plan, now, shown.copied)
        tell(plan, day)
        if plan != known:
            lock.check()
            if plan.supplements and not plan.supplements[-1].asked:
                keep_drawn_from(day, plan.supplements[-1].number, late)
            day.write(plan)
        for part in plan.parts[1:]:
            plan = carry_out(plan, part)
        return plan


def renew_links(
    day: DayStore, backend: LabelBackend, signers: LinkSigners, now: datetime, until: datetime, number: int = 0
) -> AnnotationPlan:
    """Gives the images of a pool of the day links that last until `until`, or as long as links can be made now; returns its plan.

    `now` (aware): when the links are made. `number`: of the supplement; 0 for the day's own sample. Holds the lock of `create_day_pool`.
    """
    with exclusive(day.storage, day.monitor.keys.annotation_lock) as lock:
        plan = day.read(AnnotationPlan)

        def record(learnt: AnnotationPlan) -> None:
            lock.check()
            day.write(plan.with_part(learnt))

        links = _links(day, signers, now, until)
        links = dataclasses.replace(links, expires=links.end(until) or until)
        part = next(part for part in plan.parts if part.number == number)
        return backend.renew(Opening(part, day.config, links, now, record, lock.check))


def links_of(
    plan: AnnotationPlan, day: DayStore, signers: LinkSigners, now: datetime, renewed: bool = False
) -> ImageLinks:
    """The links of the plan's images. Raises AccessRefused if the pool is not open yet and they would end before it does, unless they are
    `renewed` in time."""
    links = _links(day, signers, now, plan.links_expire)
    if renewed and (end := links.end(plan.links_expire)) is not None:
        return dataclasses.replace(links, expires=end)
    if plan.state not in ("opened", "closed"):
        links.check(plan.exam.links_end if plan.exam else None)
    return links


def _links(day: DayStore, signers: LinkSigners, now: datetime, expires: datetime) -> ImageLinks:
    covers = Covers.of(day.monitor)
    return ImageLinks(
        day.storage, day.keys.shown, now, expires, signers.server, signers.storage, covers, day.monitor.elsewhere
    )
