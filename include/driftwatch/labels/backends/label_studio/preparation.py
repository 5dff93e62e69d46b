"""Carries a plan out in Label Studio so that a kill at any point, then a repeat, ends with one project, each image once.

Nothing there has a key that the server knows, and a request whose answer was lost may still arrive. So a project is found by the end of its
title before it is created, and is closed at first: an import that arrives late, or twice, is never offered to anybody. It is opened as a
whole where a single import was ever sent, which is then all there; else task by task, and the spare ones are deleted.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from driftwatch.artifacts.annotation import AnnotationPlan, SampledImage
from driftwatch.artifacts.check_keys import CheckKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.labels import TABLE
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.http import ServiceError, ServiceRefusedRequest
from driftwatch.labels.backends.base import Opening
from driftwatch.labels.backends.label_studio.client import LabelStudioApi
from driftwatch.labels.backends.label_studio.project import Standing, day_of, key_of, new_project
from driftwatch.labels.backends.label_studio.records import FoundProject, Project, TaskState
from driftwatch.labels.links import ImageLinks
from driftwatch.labels.plan import LINK_MARGIN, too_late, with_new_end
from driftwatch.labels.sample import seeded_order

log = logging.getLogger(__name__)

IMAGE, ID = "image", "image_id"


class Preparation:
    """One day's project. `plan` has what was learnt so far."""

    def __init__(self, api: LabelStudioApi, opening: Opening) -> None:
        self.api = api
        self.config = opening.config
        self.plan = opening.plan
        self._links = opening.links
        self._now = opening.now
        self._record = opening.record
        self._created = False

    def carry_out(self) -> AnnotationPlan:
        """Ends with the day's project open, or closed where it may not go on."""
        project = self._project()
        found = Standing.of(str(project.id), project.description)
        standing = self._lasting(found)
        tasks = self._tasks(project)
        if standing.closed is None:
            if standing != found:
                self._give_links(task for task in tasks if task.answers < self.plan.overlap)
            self._open(project, standing, tasks)
        else:
            log.info("Project %s is closed since %s and stays so", project.id, standing.closed)
        if self.plan.state not in ("opened", "closed"):
            self._note(state="opened")
        if self._created:
            self._clear_away()
        return self.plan

    def renew(self) -> AnnotationPlan:
        """Gives each image that is still asked about a link that lasts until `links.expires`."""
        project = self._project()
        self.plan = self.plan.model_copy(update={"links_expire": self._links.expires})
        self._give_links(task for task in self._listed(str(project.id))[0].values() if not task.finished)
        self._note()
        return self.plan

    def _give_links(self, tasks: Iterable[TaskState]) -> None:
        links, images = self._lasting_links, self._images
        for task in tasks:
            self.api.change_task(task.id, data=self._data(images[image_of(task)], links))
        log.info("Project %s: image links were renewed until %s", self.plan.pool_id, links.expires)

    @property
    def _lasting_links(self) -> ImageLinks:
        return dataclasses.replace(self._links, expires=self.plan.links_expire)

    @property
    def _images(self) -> dict[str, SampledImage]:
        """Every image that is asked about, in an order that tells nobody which ones are control tasks."""
        plan = self.plan
        images = {image.image_id: image for image in (*plan.sample, *plan.extra, *plan.control)}
        return {name: images[name] for name in seeded_order(images, "order", plan.seed, self.config.name, plan.day)}

    def _project(self) -> Project:
        if self.plan.pool_id is None:
            if not (found := self._found()):
                self._note(
                    state="creating_pool",
                    creations=self._counted("pool"),
                    **self._new_ends(),
                )
                self.api.create_project(new_project(self.config, self.plan))
                self._created = True
                found = self._found()
            name = str(found[0].id)
            self._note(project_id=name, pool_id=name, state="created")
        if self.plan.creations.get("pool", 0) > 1:
            self._keep_one()
        return project_at(self.api, str(self.plan.pool_id))

    def _found(self) -> list[FoundProject]:
        """The projects whose title ends in the day's key, the oldest first: two that look at once agree on the first."""
        key = key_of(self.config.name, self.plan.title)
        return sorted(
            (project for project in self.api.projects(key) if project.title.endswith(key)), key=lambda one: one.id
        )

    def _keep_one(self) -> None:
        """A creation was sent again: another project may have come beside it, which nobody was ever offered."""
        for project in self._found():
            if str(project.id) != self.plan.pool_id and not project.task_number:
                log.warning(
                    "Project %s came beside project %s: it is empty and is deleted", project.id, self.plan.pool_id
                )
                self.api.delete_project(project.id)

    def _lasting(self, standing: Standing) -> Standing:
        """With a new end for a project that would be opened too late, and for one whose time was over when the day is run again."""
        left = standing.ends - self._now
        late = self.plan.state == "created" and too_late(left, self.config.labels)
        again = self.plan.state == "opened" and standing.closed and not standing.complete and left <= timedelta()
        if late or again:
            self._note(**self._new_ends())
            standing = Standing(self.plan.expires)
            log.info("Project %s takes answers until %s", self.plan.pool_id, standing.ends)
        elif standing.ends != self.plan.expires:  # a person put it off, or the plan was lost
            self._note(expires=standing.ends, links_expire=min(self.plan.links_expire, standing.ends + LINK_MARGIN))
        return standing

    def _new_ends(self) -> dict[str, datetime]:
        made = with_new_end(self.plan, self.config.labels, self._now)
        return {"expires": made.expires, "links_expire": self._links.end(made.links_expire) or made.links_expire}

    def _tasks(self, project: Project) -> list[TaskState]:
        """One task for each image, after what lacked was imported and what nobody is asked about was deleted."""
        name, images = str(project.id), self._images
        chosen, spare = self._listed(name)
        if missing := [image for name, image in images.items() if name not in chosen]:
            if project.overlap:
                self.api.change_project(name, maximum_annotations=0)
            self._note(creations=self._counted("import"))
            links = self._lasting_links
            self.api.import_tasks(name, [self._data(image, links) for image in missing])
            chosen, spare = self._listed(name)
        for task in spare:
            self.api.delete_task(task.id)
        if lacking := len(images) - len(chosen):
            raise DriftwatchError(
                f"project {name} in Label Studio lacks {lacking} of {len(images)} images after the import; it was not opened: run the task "
                "again, and look at the project if this stays"
            )
        return list(chosen.values())

    def _listed(self, project: str) -> tuple[dict[str, TaskState], list[TaskState]]:
        """By image the one task that counts, and the others, as far as nobody could see or answer them."""
        images, by_image = self._images, defaultdict(list)
        for task in self.api.tasks(project):
            if image_of(task) in images:
                by_image[image_of(task)].append(task)
        chosen, spare = {}, []
        for name, tasks in by_image.items():
            chosen[name], *others = sorted(tasks, key=standing_first)
            spare += [task for task in others if task.overlap == 0 and task.answers == 0]
        return chosen, spare

    def _open(self, project: Project, standing: Standing, tasks: list[TaskState]) -> None:
        name, overlap = str(project.id), self.plan.overlap
        closed = [task for task in tasks if task.overlap == 0]
        shown: dict[str, Any] = {"pinned_at": self._now.isoformat()}
        if standing != Standing.of(name, project.description):
            shown["description"] = standing.text(self.config.name, self.plan.title)
        elif not closed:
            return
        sent = self.plan.creations.get("import")
        if sent == 1 and len(closed) == len(tasks) == self.api.project(name).tasks:
            self.api.change_project(name, maximum_annotations=overlap, **shown)
            return
        # Before the tasks: as long as one is closed, a repeat after a kill comes here again.
        self.api.change_project(name, **shown)
        for task in closed:
            self.api.change_task(task.id, overlap=overlap, is_labeled=task.answers >= overlap)

    def _data(self, image: SampledImage, links: ImageLinks) -> dict[str, str]:
        return {IMAGE: links.link(image.image_id, image.key), ID: image.image_id}

    def _clear_away(self) -> None:
        """Deletes projects of the monitor whose answers were collected long ago. What cannot be deleted now is tried another day."""
        keep = self.config.labels.label_studio.keep_projects_days
        if not keep:
            return
        store = MonitorStore(self._links.storage, self.config)
        last = self._now - timedelta(days=keep)
        try:
            for project in list(self.api.projects(self.config.labels.project_name.strip()[:10])):
                day = day_of(project.title, self.config.name)
                if day is not None and _collected(store, day, project, last):
                    log.info("Project %s of %s was collected: it is deleted with its answers", project.id, day)
                    self.api.delete_project(project.id)
        except ServiceError as error:
            log.warning("Old projects were not deleted: %s", error)

    def _counted(self, what: str) -> dict[str, int]:
        return {**self.plan.creations, what: self.plan.creations.get(what, 0) + 1}

    def _note(self, **facts: Any) -> None:
        self.plan = self.plan.model_copy(update=facts)
        self._record(self.plan)


def project_at(api: LabelStudioApi, project_id: str) -> Project:
    """The project; raises NeedsAttention where it is gone."""
    try:
        return api.project(project_id)
    except ServiceRefusedRequest as error:
        if error.status != 404:
            raise
        raise NeedsAttention(
            f"project {project_id} is not in the Label Studio at {api.url}: if the connection leads to another server now, put it back. If the "
            "project was deleted, by somebody or after labels.label_studio.keep_projects_days, its answers are gone with it: what was collected is "
            "still in the day's assignments.parquet, and the day can be labelled anew after its annotation.json is deleted"
        ) from error


def image_of(task: TaskState) -> str:
    """The image of a task of ours; something else in a task that a person made."""
    return str(task.data.get(ID, ""))


def blanked(task: TaskState, token: str) -> dict[str, str]:
    """The task's data without its image: `token` in place of the id, and no link."""
    return {**{name: "" for name in task.data}, ID: token}


def standing_first(task: TaskState) -> tuple[bool, bool, int]:
    """Of several tasks of one image, that which is open counts, then that which has answers, then the oldest."""
    return task.overlap == 0, task.answers == 0, task.id


def _collected(store: MonitorStore, day: date, project: FoundProject, last: datetime) -> bool:
    """Whether the project took answers until `last` at most, and they were fetched since. The day itself tells nothing: it may be backfilled."""
    plan = store.day(day).find(AnnotationPlan)
    parts = plan.parts if plan else ()
    done = any(part.state == "closed" and part.pool_id == str(project.id) and part.expires < last for part in parts)
    checks = store.config.labels.backend == TABLE
    keys = CheckKeys(store.config.name, day) if checks else store.day(day).keys
    return done and store.storage.exists(keys.assignments)
