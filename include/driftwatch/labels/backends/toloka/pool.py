"""Carries a plan out at Toloka so that a kill at any point, then a repeat, ends with one pool, each image once."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.labels.backends.base import Opening, Pool
from driftwatch.labels.backends.toloka import project as specification
from driftwatch.labels.backends.toloka.collect import progress
from driftwatch.labels.backends.toloka.exam import Exam
from driftwatch.labels.backends.toloka.journal import Journal
from driftwatch.labels.backends.toloka.project import ImageTask
from driftwatch.labels.backends.toloka.upload import AnnotationFailed, TaskUpload
from driftwatch.labels.links import ImageLinks
from driftwatch.labels.money import OverBudget
from driftwatch.labels.plan import too_late, with_new_end

if TYPE_CHECKING:
    import toloka.client as toloka

    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

log = logging.getLogger(__name__)

# Toloka closed the pool itself, for a reason that can pass: the pool may be opened again.
_MAY_GO_ON = ("EXPIRED", "NOT_ENOUGH_BALANCE", "ASSIGNMENTS_LIMIT_EXCEEDED")


class Campaign:
    """One day's pool. `title`: by which it is found again, and which people read; by default that of the plan. `settle_seconds`: see Journal."""

    def __init__(
        self,
        client: DriftwatchTolokaClient,
        opening: Opening,
        title: str | None = None,
        settle_seconds: float | None = None,
    ) -> None:
        self.client = client
        self.config = opening.config
        self.journal = Journal(opening.plan, opening.record, settle_seconds)
        self.title = title or opening.plan.title
        self._links = opening.links
        self._now = opening.now

    @property
    def plan(self) -> AnnotationPlan:
        """The plan with what was learnt so far."""
        return self.journal.plan

    def carry_out(self) -> AnnotationPlan:
        """Ends with the day's pool open, or closed where it may not go on. Returns the plan with what was learnt."""
        pool = self._day_pool()
        if _never_opened(pool) and too_late(self._time_left(pool), self.config.labels):
            self._drop(pool)
            pool = self._day_pool()
        uploading = TaskUpload(self.client, pool.id, self.journal.settle_seconds)
        if _never_opened(pool):
            shown = dataclasses.replace(self._links, expires=self.plan.links_expire)
            uploading.bring(list(self._tasks(shown)), self.journal.note_operation)
        self._open(pool, uploading)
        return self.plan

    def _day_pool(self) -> toloka.Pool:
        if self.plan.pool_id is None:
            self._check_balance(self.plan.cost.total)
            self.journal.note()
            self.journal.note(project_id=self._project().id)
            self.journal.note(pool_id=self._pool().id, state="created")
        if self.plan.creations.get("pool", 0) > 1:
            self._keep_one_pool()
        return self.client.get_pool(self.plan.pool_id)

    def _drop(self, pool: toloka.Pool) -> None:
        """Leaves a pool that nobody has seen and whose time is nearly over: its tasks hold links that end with it."""
        log.warning("Pool %s was never opened and ends at %s: another takes its place", pool.id, pool.will_expire)
        self.journal.note(pool_id=None, state="planned", dropped_pools=(*self.plan.dropped_pools, pool.id))
        self.client.archive_pool_async(pool.id)

    def _time_left(self, pool: toloka.Pool) -> timedelta:
        return min(service_end(pool), self.plan.links_expire) - self._now

    def _check_balance(self, needed: float) -> None:
        balance = float(self.client.get_requester().balance)
        if balance < needed:
            raise OverBudget(
                f"the Toloka account has {balance:.2f} USD and {self.title} needs {needed:.2f} USD: top the account up, then "
                "clear this task; nothing was " + ("opened" if self.plan.pool_id else "created")
            )

    def _project(self) -> toloka.Project:
        marker = specification.project_marker(self.config)
        wanted = specification.build_project(self.config)

        def find() -> Iterable[toloka.Project]:
            projects = self.client.get_projects(status="ACTIVE", batch_size=300)
            return (project for project in projects if project.private_comment == marker)

        found = self.journal.find_or_create("project", find, lambda: self.client.create_project(wanted))
        same = (found.public_name, found.public_description, found.public_instructions) == (
            wanted.public_name,
            wanted.public_description,
            wanted.public_instructions,
        )
        return found if same else self.client.update_project(found.id, wanted)

    def _pool(self) -> toloka.Pool:
        found = self.journal.find("pool", lambda: self._day_pools()[:1])
        if found is not None:
            return found
        if self.plan.creations.get("pool"):
            # An earlier run sent it and it did not arrive: the end that the plan has kept may be over by now.
            ends = with_new_end(self.plan, self.config.labels, self._now)
            self.journal.note(exam=ends.exam, expires=ends.expires, links_expire=ends.links_expire)
        if self.plan.exam:
            exam = Exam(self.client, self.config, self.journal, self.plan.exam)
            self.journal.note(exam_id=exam.open(self._links))

        def create() -> toloka.Pool:
            return self.client.create_pool(specification.build_pool(self.config, self.plan, self.title))

        return self.journal.create("pool", create)

    def _day_pools(self) -> list[toloka.Pool]:
        """Every pool that carries the day's marker, without those that were dropped unseen: the one that was opened first, then by
        age, archived ones last. An archived one counts: its images have been asked about and paid for."""
        marker = specification.pool_marker(self.config, self.title)
        pools = self.client.get_pools(project_id=self.plan.project_id, batch_size=300)
        dropped = self.plan.dropped_pools
        found = [pool for pool in pools if pool.private_comment == marker and pool.id not in dropped]
        return sorted(found, key=lambda pool: (pool.last_started is None, pool.is_archived(), len(pool.id), pool.id))

    def _keep_one_pool(self) -> None:
        """A creation was sent again because the first was not listed in time. Before anything is opened, the pool that was
        opened, else the oldest, becomes the day's; the others, which nobody has seen, are archived."""
        pools = self._day_pools()
        kept = pools[0].id if pools else self.plan.pool_id
        for pool in pools[1:]:
            if pool.last_started is None and not pool.is_archived():
                log.warning(
                    "Pool %s was created beside pool %s for the same day; it is archived unopened", pool.id, kept
                )
                self.client.archive_pool_async(pool.id)
        if kept != self.plan.pool_id:
            self.journal.note(pool_id=kept)

    def _tasks(self, links: ImageLinks) -> Iterator[ImageTask]:
        for image in self.plan.to_label:
            values = {
                specification.IMAGE_FIELD: links.link(image.image_id, image.key),
                specification.ID_FIELD: image.image_id,
            }
            yield ImageTask(image.image_id, {"input_values": values, "overlap": self.plan.overlap})
        for known in self.plan.control:
            yield specification.known_task(links, known, infinite_overlap=True)

    def _open(self, pool: toloka.Pool, uploading: TaskUpload) -> None:
        reason = pool.last_close_reason.value if pool.last_close_reason else None
        if pool.is_closed() and (reason is None or self._may_go_on(pool, reason)):
            operation = self.client.open_pool_async(pool.id)
            if operation is not None and uploading.wait(operation).status.value == "FAIL":
                raise AnnotationFailed(
                    f"Toloka did not open pool {pool.id}: {self.client.get_operation_log(operation.id)}; run the task again"
                )
        else:
            log.info("Pool %s is %s already (%s)", pool.id, pool.status.value, reason or "never closed")
            if self.plan.state == "closed":
                return
        self.journal.note(state="opened")

    def _may_go_on(self, pool: toloka.Pool, reason: str) -> bool:
        """Whether a pool that Toloka closed early can be opened again: its time is not over, and the rest is affordable.

        One that a person closed stays closed: to go on, open it in Toloka.
        """
        if reason not in _MAY_GO_ON or self._time_left(pool) <= timedelta():
            return False
        done = progress(self.client, dataclasses.replace(Pool.of(self.plan, self.config.labels), fee_share=0.0))
        open_share = 1 - done.answers / max(done.answers_wanted, 1)
        if open_share <= 0:
            return False
        self._check_balance(round(self.plan.cost.total * open_share, 4))
        log.info("Pool %s was closed (%s) at %s: it is opened again", pool.id, reason, done.text)
        return True


def service_end(pool: toloka.Pool) -> datetime:
    """Until when Toloka takes answers: to the pool's end, which a person may have put off there."""
    expires: datetime = pool.will_expire
    return expires if expires.tzinfo else expires.replace(tzinfo=timezone.utc)


def _never_opened(pool: toloka.Pool) -> bool:
    return bool(pool.is_closed()) and pool.last_close_reason is None
