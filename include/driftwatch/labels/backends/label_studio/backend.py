"""Label Studio as a label backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.config.labels import LABEL_STUDIO
from driftwatch.errors import NeedsAttention
from driftwatch.http import ServiceRefusedRequest
from driftwatch.labels.backends.base import (
    AT_DAILY_LIMIT,
    AT_DEADLINE,
    COMPLETED,
    LabelBackend,
    LabelSite,
    Opening,
    Pool,
    PoolState,
)

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.credentials import Access
    from driftwatch.labels.backends.label_studio.answers import Given
    from driftwatch.labels.backends.label_studio.client import LabelStudioApi
    from driftwatch.labels.backends.label_studio.records import Project

CREDENTIAL = "Label Studio token"  # what the connection's password is
CLOSED = "CLOSED"
_REMEDIES = {
    AT_DEADLINE: "raise expire_hours and run the day again: its project is opened once more for that long",
    AT_DAILY_LIMIT: "raise that limit for the next days",
    CLOSED: "wait for its end and run the day again: its project is opened once more for expire_hours",
}


class LabelStudioBackend(LabelBackend):
    """One account at a Label Studio. `access` reads the connection that leads to it."""

    name = LABEL_STUDIO
    title = "Label Studio"
    ends_itself = False
    knows_truth = False
    renews_links = True

    def __init__(self, access: Callable[[], Access]) -> None:
        self._read_access = access
        self._last: tuple[str, AnnotationProgress] | None = None

    @cached_property
    def api(self) -> LabelStudioApi:
        from driftwatch.labels.backends.label_studio.client import LabelStudioApi

        return LabelStudioApi(self._read_access())

    def account(self) -> str:
        version, person, kinds = self.api.version(), self.api.person(), self.api.token_kinds()
        taken = [name for name, on in (("personal access", kinds.personal), ("legacy", kinds.legacy)) if on]
        kind = "personal access" if self.api.personal else "legacy"
        return f"Label Studio {version} at {self.api.url}, signed in as {person.email} with a {kind} token; it takes {' and '.join(taken)} tokens"

    def find_or_create(self, opening: Opening) -> AnnotationPlan:
        from driftwatch.labels.backends.label_studio.preparation import Preparation

        self.api.before_change = opening.before_change
        try:
            return Preparation(self.api, opening).carry_out()
        finally:
            self.api.before_change = None

    def renew(self, opening: Opening) -> AnnotationPlan:
        from driftwatch.labels.backends.label_studio.preparation import Preparation

        self.api.before_change = opening.before_change
        try:
            return Preparation(self.api, opening).renew()
        finally:
            self.api.before_change = None

    def look(self, pool: Pool) -> PoolState:
        from driftwatch.labels.backends.label_studio.project import Standing

        project = self._whole(pool)
        standing = Standing.of(pool.pool_id, project.description)
        if standing.closed is not None:
            return PoolState(False, standing.ends, COMPLETED if standing.complete else CLOSED)
        is_open = not self._finished(project, pool)
        return PoolState(is_open, standing.ends, None if is_open else COMPLETED)

    def progress(self, pool: Pool) -> AnnotationProgress:
        from driftwatch.labels.backends.label_studio import answers

        project = self._whole(pool)
        # The export takes seconds where a day is large: it is asked for only where somebody has answered since.
        seen = f"{pool}{project}"
        if self._last is None or self._last[0] != seen:
            self._last = seen, answers.progress(self._given(pool, project), pool)
        return self._last[1]

    def collect(self, pool: Pool) -> pd.DataFrame:
        from driftwatch.labels.backends.label_studio import answers

        return answers.table_of(self._given(pool, self._whole(pool)), pool)

    def close(self, pool: Pool) -> None:
        import dataclasses

        from driftwatch.labels.backends.label_studio.project import Standing, closing

        project = self._project(pool)
        standing = Standing.of(pool.pool_id, project.description)
        if standing.closed is None:
            done = self._finished(project, pool)
            closed = dataclasses.replace(standing, closed=self.api.time(), complete=done)
            text = f"{project.description}{closing(closed)}"
            self.api.change_project(pool.pool_id, description=text, maximum_annotations=0, pinned_at=None)
        # What was opened task by task is closed so, and what an earlier try left open.
        if standing.closed is None or project.finished < project.tasks:
            for task in self.api.tasks(pool.pool_id):
                if not task.finished:
                    self.api.change_task(task.id, overlap=0, is_labeled=True)

    def blank(self, pool_id: str, tokens: Mapping[str, str]) -> int | None:
        from driftwatch.labels.backends.label_studio.preparation import blanked, image_of

        try:
            wanted = [task for task in self.api.tasks(pool_id) if image_of(task) in tokens]
        except ServiceRefusedRequest as error:
            if error.status != 404:
                raise
            return 0  # the project is gone, with its tasks
        for task in wanted:
            self.api.change_task(task.id, data=blanked(task, tokens[image_of(task)]))
        return len(wanted)

    def page(self, plan: AnnotationPlan) -> str:
        return f"{self.api.url}/projects/{plan.pool_id}/data"

    def refusal(self, error: Exception) -> NeedsAttention | None:
        return error if isinstance(error, NeedsAttention) else None

    def remedy(self, reason: str) -> str:
        return _REMEDIES.get(reason, "see the project in Label Studio")

    def _project(self, pool: Pool) -> Project:
        from driftwatch.labels.backends.label_studio.preparation import project_at

        return project_at(self.api, pool.pool_id)

    def _whole(self, pool: Pool) -> Project:
        """The project. Raises NeedsAttention where images of the day are no longer in it, or never were."""
        project = self._project(pool)
        if project.tasks != pool.tasks and (lacking := pool.tasks - len(self._ours(pool))) > 0:
            raise NeedsAttention(
                f"project {pool.pool_id} in Label Studio lacks {lacking} of {pool.tasks} images, so somebody deleted their tasks, and the answers "
                "with them: clear create_annotation_pool and what follows it; that puts them back, and keeps all other answers"
            )
        return project

    def _ours(self, pool: Pool) -> dict[str, bool]:
        """Whether each image of the day is finished."""
        from driftwatch.labels.backends.label_studio.preparation import image_of, standing_first

        tasks = sorted(self.api.tasks(pool.pool_id), key=standing_first, reverse=True)
        return {image_of(task): task.finished for task in tasks if len(image_of(task)) == 64}

    def _finished(self, project: Project, pool: Pool) -> bool:
        """Whether each image has its answers. Spare tasks, which nobody is offered, count as finished at the server."""
        if project.tasks == pool.tasks:
            return project.finished >= project.tasks
        return all(self._ours(pool).values())

    def _given(self, pool: Pool, project: Project) -> list[Given]:
        from driftwatch.labels.backends.label_studio import answers
        from driftwatch.labels.backends.label_studio.project import Standing

        closed = Standing.of(pool.pool_id, project.description).closed
        return list(answers.given(self.api.export(project), project.choices, pool.overlap, closed))


def label_studio_backend(site: LabelSite) -> LabelStudioBackend:
    """The account that a connection leads to."""
    return LabelStudioBackend(lambda: site.access(site.connection, CREDENTIAL))
