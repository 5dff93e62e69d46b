"""Carries a plan out at Toloka so that a kill at any point, then a repeat, ends with one pool, each image once.

Projects and pools have no idempotency key at Toloka: they carry a marker and are looked for before they are created. That a
creation is about to be sent is recorded first, so that a repeat knows to wait for a listing that lags behind.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.toloka import project as specification
from driftwatch.labels.backends.toloka.collect import progress
from driftwatch.labels.backends.toloka.exam import open_training
from driftwatch.labels.backends.toloka.project import ImageTask
from driftwatch.labels.backends.toloka.upload import AnnotationFailed, TaskUpload
from driftwatch.labels.links import ImageLinks
from driftwatch.labels.plan import OverBudget, with_new_end

if TYPE_CHECKING:
    import toloka.client as toloka

    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

log = logging.getLogger(__name__)

# How long a listing may lag behind what was created.
SETTLE_SECONDS = 15.0
# A pool that is to be opened with less than a tenth of its time left would end before it is answered.
_TOO_LATE = timedelta(hours=0.1)
# Why Toloka closes a pool by itself that may go on as soon as what stopped it is put right.
_MAY_GO_ON = ("EXPIRED", "NOT_ENOUGH_BALANCE", "ASSIGNMENTS_LIMIT_EXCEEDED")


class Campaign:
    """One day's pool. `record` writes the plan (annotation.json) whenever a fact about the outside is learnt.

    `now` (aware): when this run began. `settle_seconds`: how long to wait for a listing that lags behind a creation which an
    earlier, killed run has sent (SETTLE_SECONDS).
    """

    def __init__(
        self,
        client: DriftwatchTolokaClient,
        config: MonitorConfig,
        plan: dict[str, Any],
        record: Callable[[dict[str, Any]], None],
        now: datetime,
        settle_seconds: float | None = None,
    ) -> None:
        self.client = client
        self.config = config
        self.plan = plan
        self.settle_seconds = SETTLE_SECONDS if settle_seconds is None else settle_seconds
        self._record = record
        self._now = now

    def carry_out(self, links: ImageLinks) -> dict[str, Any]:
        """Ends with the day's pool open, or closed where it may not go on. Returns the plan with what was learnt."""
        pool = self._day_pool(links)
        if _never_opened(pool) and self._time_left(pool) < self.config.annotation.expire_hours * _TOO_LATE:
            self._drop(pool)
            pool = self._day_pool(links)
        uploading = TaskUpload(self.client, pool.id, self.settle_seconds)
        if _never_opened(pool):
            shown = dataclasses.replace(links, expires=datetime.fromisoformat(self.plan["links_expire"]))
            uploading.bring(list(self._tasks(shown)), self.note_operation)
        self._open(pool, uploading)
        return self.plan

    def _day_pool(self, links: ImageLinks) -> toloka.Pool:
        if self.plan["pool_id"] is None:
            self._check_balance(self.plan["cost"]["total"])
            self._note()
            self._note(project_id=self._project().id)
            self._note(pool_id=self._pool(links).id, state="created")
        if self.plan["creations"].get("pool", 0) > 1:
            self._keep_one_pool()
        return self.client.get_pool(self.plan["pool_id"])

    def _drop(self, pool: toloka.Pool) -> None:
        """Leaves a pool that nobody has seen and whose time is nearly over: its tasks hold links that end with it."""
        log.warning("Pool %s was never opened and ends at %s: another takes its place", pool.id, pool.will_expire)
        self._note(pool_id=None, state="planned", dropped_pools=[*self.plan.get("dropped_pools", []), pool.id])
        self.client.archive_pool_async(pool.id)

    def _time_left(self, pool: toloka.Pool) -> timedelta:
        return end_of(pool, self.plan) - self._now

    def _note(self, **facts: Any) -> None:
        self.plan.update(facts)
        self._record(self.plan)

    def note_operation(self, operation_id: str) -> None:
        """Records an upload that is about to be sent."""
        if operation_id not in self.plan["operation_ids"]:
            self._note(operation_ids=[*self.plan["operation_ids"], operation_id])

    def _check_balance(self, needed: float) -> None:
        balance = float(self.client.get_requester().balance)
        if balance < needed:
            raise OverBudget(
                f"the Toloka account has {balance:.2f} USD and {self.plan['day']} needs {needed:.2f} USD: top the account up, then "
                "clear this task; nothing was " + ("opened" if self.plan["pool_id"] else "created")
            )

    def find_or_create(self, what: str, find: Callable[[], Iterable[Any]], create: Callable[[], Any]) -> Any:
        """What carries the marker, the oldest if there are several; waits for a lagging listing where an earlier run may have
        created it; else a new one. That a creation is sent is recorded first."""
        found = self._find(what, find)
        return self._create(what, create) if found is None else found

    def _create(self, what: str, create: Callable[[], Any]) -> Any:
        sent = self.plan["creations"].get(what, 0) + 1
        self._note(state=_creating(what), creations={**self.plan["creations"], what: sent})
        return create()

    def _find(self, what: str, find: Callable[[], Iterable[Any]]) -> Any:
        end = time.monotonic() + (self.settle_seconds if self.plan["state"] == _creating(what) else 0)
        while True:
            found = min(find(), key=lambda item: (len(item.id), item.id), default=None)
            if found is not None or time.monotonic() >= end:
                return found
            time.sleep(min(1.0, self.settle_seconds / 5))

    def _project(self) -> toloka.Project:
        marker = specification.project_marker(self.config)
        wanted = specification.build_project(self.config)

        def find() -> Iterable[Any]:
            projects = self.client.get_projects(status="ACTIVE", batch_size=300)
            return (project for project in projects if project.private_comment == marker)

        found = self.find_or_create("project", find, lambda: self.client.create_project(wanted))
        same = (found.public_name, found.public_description, found.public_instructions) == (
            wanted.public_name,
            wanted.public_description,
            wanted.public_instructions,
        )
        return found if same else self.client.update_project(found.id, wanted)

    def _pool(self, links: ImageLinks) -> toloka.Pool:
        found = self._find("pool", lambda: self._day_pools()[:1])
        if found is not None:
            return found
        if self.plan["creations"].get("pool"):
            # An earlier run sent it and it did not arrive: the end that the plan has kept may be over by now.
            self._note(**with_new_end(self.plan, self.config.annotation, self._now))
        if self.plan.get("exam"):
            self._note(exam_id=open_training(self, links))
        return self._create("pool", lambda: self.client.create_pool(specification.build_pool(self.config, self.plan)))

    def _day_pools(self) -> list[toloka.Pool]:
        """Every pool that carries the day's marker, without those that were dropped unseen: the one that was opened first, then by
        age, archived ones last. An archived one counts: its images have been asked about and paid for."""
        marker = specification.pool_marker(self.config, self.plan["day"])
        pools = self.client.get_pools(project_id=self.plan["project_id"], batch_size=300)
        dropped = self.plan.get("dropped_pools", [])
        found = [pool for pool in pools if pool.private_comment == marker and pool.id not in dropped]
        return sorted(found, key=lambda pool: (pool.last_started is None, pool.is_archived(), len(pool.id), pool.id))

    def _keep_one_pool(self) -> None:
        """A creation was sent again because the first was not listed in time. Before anything is opened, the pool that was
        opened, else the oldest, becomes the day's; the others, which nobody has seen, are archived."""
        pools = self._day_pools()
        kept = pools[0].id if pools else self.plan["pool_id"]
        for pool in pools[1:]:
            if pool.last_started is None and not pool.is_archived():
                log.warning(
                    "Pool %s was created beside pool %s for the same day; it is archived unopened", pool.id, kept
                )
                self.client.archive_pool_async(pool.id)
        if kept != self.plan["pool_id"]:
            self._note(pool_id=kept)

    def _tasks(self, links: ImageLinks) -> Iterator[ImageTask]:
        for entry in self.plan["sample"]:
            values = {
                specification.IMAGE_FIELD: links.link(entry["image_id"], entry["key"]),
                specification.ID_FIELD: entry["image_id"],
            }
            yield ImageTask(entry["image_id"], {"input_values": values, "overlap": self.plan["overlap"]})
        for entry in self.plan["control"]:
            yield specification.known_task(links, entry, infinite_overlap=True)

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
            if self.plan["state"] == "closed":
                return
        self._note(state="opened")

    def _may_go_on(self, pool: toloka.Pool, reason: str) -> bool:
        """Whether a pool that Toloka closed early can be opened again: its time is not over, and the rest is affordable.

        One that a person closed stays closed: to go on, open it in Toloka.
        """
        if reason not in _MAY_GO_ON or self._time_left(pool) <= timedelta():
            return False
        done = progress(self.client, pool.id, len(self.plan["sample"]), self.plan["overlap"])
        open_share = 1 - done["answers"] / max(done["answers_wanted"], 1)
        if open_share <= 0:
            return False
        self._check_balance(round(self.plan["cost"]["total"] * open_share, 4))
        log.info("Pool %s was closed (%s) at %s: it is opened again", pool.id, reason, done["text"])
        return True


def end_of(pool: toloka.Pool, plan: Mapping[str, Any]) -> datetime:
    """Until when the pool can be answered: to its end, which a person may have put off at Toloka, as far as its image links reach."""
    expires = pool.will_expire if pool.will_expire.tzinfo else pool.will_expire.replace(tzinfo=timezone.utc)
    return min(expires, datetime.fromisoformat(plan["links_expire"]))


def _creating(what: str) -> str:
    """The state of a plan whose `what` is about to be created, or was when the run was killed."""
    return f"creating_{what}"


def _never_opened(pool: toloka.Pool) -> bool:
    return bool(pool.is_closed()) and pool.last_close_reason is None
