"""The desk as a label backend."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.config.labels import DESK
from driftwatch.errors import NeedsAttention
from driftwatch.labels.assignments import ACCEPTED, REJECTED, Answer, assignments_table
from driftwatch.labels.backends.base import (
    AT_DAILY_LIMIT,
    AT_DEADLINE,
    LabelBackend,
    LabelSite,
    Opening,
    Pool,
    PoolState,
)
from driftwatch.labels.backends.desk.batch import batch_of, key_of, tasks_of
from driftwatch.labels.plan import LINK_MARGIN, too_late, with_new_end
from driftwatch.labels.progress import progress_of_hours

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.credentials import Access
    from driftwatch.labels.backends.desk.client import DeskClient
    from driftwatch.labels.links import ImageLinks

CREDENTIAL = "API token"  # what the connection's password is
_REOPEN = "`python -m driftwatch_servers.desk batch reopen` at the desk, with the hours that are still needed"
_REMEDIES = {
    "EXPIRED": f"ask more people to label, or raise expire_hours for the next days; for this one: {_REOPEN}",
    AT_DEADLINE: f"ask more people to label, or raise expire_hours for the next days; for this one: {_REOPEN}",
    "MANUAL": f"if it was closed by mistake: {_REOPEN}",
    AT_DAILY_LIMIT: f"raise that limit; then {_REOPEN}",
}


class DeskBackend(LabelBackend):
    """One desk. `access` reads the connection that leads to it."""

    name = DESK
    title = "Desk"
    renews_links = True

    def __init__(self, access: Callable[[], Access]) -> None:
        self._read_access = access

    @cached_property
    def _access(self) -> Access:
        return self._read_access()

    @cached_property
    def client(self) -> DeskClient:
        from driftwatch.labels.backends.desk.client import DeskClient

        return DeskClient(self._access)

    def account(self) -> str:
        account = self.client.account()
        return f"The desk knows this token as {account.name}; {account.people} people may label"

    def find_or_create(self, opening: Opening) -> AnnotationPlan:
        self.client.before_change = opening.before_change
        try:
            return self._find_or_create(opening)
        finally:
            self.client.before_change = None

    def _find_or_create(self, opening: Opening) -> AnnotationPlan:
        plan, key = opening.plan, key_of(opening.config, opening.plan)
        found = self.client.find(key)
        if found is None or found.state == "draft":
            plan = _in_time(opening)
            plan = _noted(opening, plan, state="creating_pool", creations={"pool": plan.creations.get("pool", 0) + 1})
            links = dataclasses.replace(opening.links, expires=plan.links_expire)
            tasks = tasks_of(plan, links)
            self.client.put(key, batch_of(opening.config, plan))
            self.client.put_tasks(key, tasks)
            found = self.client.open(key, len(tasks))
        elif plan.asked and found.state == "open" and found.ends != plan.expires:  # opened again by hand
            plan = plan.model_copy(update={"expires": found.ends, "pool_id": key})
            wanted = found.ends + LINK_MARGIN
            plan = self._renewed(plan, dataclasses.replace(opening.links, expires=opening.links.end(wanted) or wanted))
        elif not plan.asked:  # the plan that it was made from is lost
            plan = plan.model_copy(update={"expires": found.ends, "links_expire": found.ends + LINK_MARGIN})
        state = "closed" if plan.state == "closed" and found.state == "closed" else "opened"
        return _noted(opening, plan, project_id=opening.config.name, pool_id=key, state=state)

    def renew(self, opening: Opening) -> AnnotationPlan:
        self.client.before_change = opening.before_change
        try:
            return _noted(opening, self._renewed(opening.plan, opening.links))
        finally:
            self.client.before_change = None

    def _renewed(self, plan: AnnotationPlan, links: ImageLinks) -> AnnotationPlan:
        """The plan after its images have these links."""
        self.client.renew(str(plan.pool_id), {task.image_id: task.link for task in tasks_of(plan, links)})
        return plan.model_copy(update={"links_expire": links.expires})

    def look(self, pool: Pool) -> PoolState:
        found = self.client.state(pool.pool_id)
        return PoolState(found.state == "open", found.ends, found.close_reason)

    def progress(self, pool: Pool) -> AnnotationProgress:
        found = self.client.progress(pool.pool_id)
        return progress_of_hours(pool, found.answered_images, found.answers, found.hours)

    def collect(self, pool: Pool) -> pd.DataFrame:
        return assignments_table(
            Answer(
                assignment_id=given.page,
                annotator_id=given.person,
                image_id=given.image_id,
                answer=given.answer,
                control=given.known is not None,
                known_label=given.known,
                status=ACCEPTED if given.counted else REJECTED,
                submitted=given.given.isoformat(),
                seconds=given.page_seconds,
                reward=given.page_seconds / 3600 * pool.price_per_hour,
            )
            for given in self.client.answers(pool.pool_id)
        )

    def close(self, pool: Pool) -> None:
        self.client.close(pool.pool_id)

    def blank(self, pool_id: str, tokens: Mapping[str, str]) -> int | None:
        return self.client.blank(pool_id, tokens)

    def page(self, plan: AnnotationPlan) -> str:
        address = str(self._access.extras.get("page_url") or self._access.address)
        return f"{address.rstrip('/')}/#{plan.pool_id}"

    def refusal(self, error: Exception) -> NeedsAttention | None:
        return error if isinstance(error, NeedsAttention) else None

    def remedy(self, reason: str) -> str:
        return _REMEDIES.get(reason, "see the batch with `python -m driftwatch_servers.desk batch list`")


def _in_time(opening: Opening) -> AnnotationPlan:
    """The plan of a batch that nobody has seen: with a new end if its own is over, or nearly, and with links that are made now."""
    plan, labels = opening.plan, opening.config.labels
    if too_late(plan.expires - opening.now, labels):
        plan = with_new_end(plan, labels, opening.now)
    wanted = plan.expires + LINK_MARGIN
    return plan.model_copy(update={"links_expire": opening.links.end(wanted) or wanted})


def _noted(opening: Opening, plan: AnnotationPlan, **facts: object) -> AnnotationPlan:
    """The plan with these facts, recorded."""
    noted = plan.model_copy(update=facts)
    opening.record(noted)
    return noted


def desk_backend(site: LabelSite) -> DeskBackend:
    """The desk that a connection leads to."""
    return DeskBackend(lambda: site.access(site.connection, CREDENTIAL))
