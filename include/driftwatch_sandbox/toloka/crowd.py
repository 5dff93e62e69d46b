"""The simulated crowd: takes pages of open pools, looks at the images, answers, rests.

Time is scaled: a page for which a worker needs 40 s takes `40 / speed` s here. An assignment's `created` is set back, so that the time
from `created` to `submitted` is as long as a person would need.
"""

from __future__ import annotations

import time
from typing import Any

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.chance import chance
from driftwatch_sandbox.toloka.door import PEOPLE, Door, served_by
from driftwatch_sandbox.toloka.exchange import Exchange
from driftwatch_sandbox.toloka.sight import Eyes, Truth
from driftwatch_sandbox.toloka.store import Document
from driftwatch_sandbox.toloka.workers import Worker, answer, population, rest, seconds_for_page

# In the workers' own seconds: within this time they notice a new pool, and after it they look again if there was no page.
_ARRIVAL, _LOOK_AGAIN = 40.0, 20.0


class Crowd:
    """The workers and what each of them is doing. Only one thread calls `tick`."""

    def __init__(self, exchange: Exchange, truth: Truth, eyes: Eyes, seed: int, speed: float, count: int = 30) -> None:
        self._exchange = exchange
        self._store = exchange.store
        self._truth = truth
        self._eyes = eyes
        self._seed = seed
        self._speed = speed
        self._workers = {worker.id: worker for worker in population(seed, count)}
        self._free_at: dict[str, float] = {}
        self._known_pools: set[str] = set()
        self._door = Door(exchange, speed)
        # Pages that somebody worked on when the server stopped are finished now.
        active = self._store.find("assignments", [("status", "=", "ACTIVE")])
        self._active = {page["user_id"]: page for page in active if page["user_id"] in self._workers}
        for page in active:
            self._look(page)

    def tick(self) -> float:
        """Does what is due. Returns the seconds until something may be due again."""
        now = time.time()
        for user_id, page in list(self._active.items()):
            if page["_due"] <= now and self._eyes.ready(page["pool_id"], self._urls(page)):
                with self._store.transaction():
                    self._finish(self._workers[user_id], page)
                del self._active[user_id]
        pools = sorted(self._exchange.open_pools(), key=lambda pool: (-pool.get("priority", 0), pool["id"]))
        regular = [pool for pool in pools if pool["type"] == "REGULAR" and served_by(pool) != PEOPLE]
        self._welcome({pool["id"] for pool in regular}, now)
        if regular:
            for worker in self._workers.values():
                if worker.id not in self._active and self._free_at.get(worker.id, 0) <= now:
                    with self._store.transaction():
                        self._take(worker, regular, now)
        moments = [page["_due"] for page in self._active.values()]
        if regular:
            moments += [moment for user, moment in self._free_at.items() if user not in self._active]
        return max(0.02, min(moments, default=now + 60) - time.time())

    def _welcome(self, pool_ids: set[str], now: float) -> None:
        """Lets the workers arrive at new pools one after another."""
        for pool_id in pool_ids - self._known_pools:
            for user in self._workers:
                arrival = now + chance(self._seed, user, pool_id) * _ARRIVAL / self._speed
                self._free_at[user] = (
                    min(arrival, max(self._free_at.get(user, now), now)) if self._known_pools else arrival
                )
        if self._known_pools - pool_ids:
            self._eyes.forget(pool_ids | {page["pool_id"] for page in self._active.values()})
        self._known_pools = pool_ids

    def _take(self, worker: Worker, pools: list[Document], now: float) -> None:
        """Gives the worker a page of the first pool that has one."""
        for pool in pools:
            if not self._door.may_enter(worker, pool):
                continue
            source, tasks = self._door.page(worker, pool, now)
            if not tasks:
                continue
            length = seconds_for_page(worker, [task["id"] for task in tasks])
            limit = source.get("assignment_max_duration_seconds") or length
            due = now + min(length, limit) / self._speed
            created = times.text(due - min(length, limit))
            page = self._exchange.issue(source["id"], worker.id, tasks, created, due)
            if page is not None:
                self._active[worker.id] = page
                self._look(page)
                return
        self._free_at[worker.id] = now + max(0.25, _LOOK_AGAIN / self._speed)

    def _finish(self, worker: Worker, page: Document) -> None:
        """Ends a page: it took too long, its images could not be shown, or it was answered."""
        now = time.time()
        pages = len(self._exchange.board(page["pool_id"]).pages[worker.id])
        length = seconds_for_page(worker, [task["id"] for task in page["tasks"]])
        self._free_at[worker.id] = now + rest(worker, length, pages) / self._speed
        limit = self._exchange.pool(page["pool_id"]).get("assignment_max_duration_seconds") or length
        if length > limit:
            self._exchange.give_back(page, "EXPIRED", times.text(page["_due"]))
        elif any(self._eyes.image_id(page["pool_id"], url) is None for url in self._urls(page)):
            self._exchange.give_back(page, "SKIPPED", times.text(page["_due"]))
        else:
            self._exchange.submit(page, self._solutions(worker, page), times.text(page["_due"]))

    def _solutions(self, worker: Worker, page: Document) -> list[Document]:
        project = self._project(page["pool_id"])
        spec = project["task_spec"]["output_spec"]
        labels = self._truth.labels()
        classes = set(labels.values())
        question = next((name for name, field in spec.items() if field.get("allowed_values")), next(iter(spec)))
        allowed = spec[question].get("allowed_values") or sorted(classes) or ["unknown"]
        image_field = self._image_field(project)
        solutions = []
        for task in page["tasks"]:
            url = task["input_values"].get(image_field)
            image_id = self._eyes.image_id(page["pool_id"], url) if url else None
            truth = labels.get(image_id) if image_id else None
            value = answer(worker, image_id, truth, allowed, classes, self._seed)
            others = {name: _default(field) for name, field in spec.items() if field.get("required", True)}
            solutions.append({"output_values": others | {question: value}})
        return solutions

    def _look(self, page: Document) -> None:
        self._eyes.look(page["pool_id"], self._urls(page))

    def _urls(self, page: Document) -> list[str]:
        field = self._image_field(self._project(page["pool_id"]))
        return [url for task in page["tasks"] if (url := task["input_values"].get(field))]

    def _project(self, pool_id: str) -> Document:
        project = self._store.get("projects", self._exchange.pool(pool_id)["project_id"])
        assert project is not None  # projects are never deleted
        return project

    @staticmethod
    def _image_field(project: Document) -> str | None:
        inputs = project["task_spec"]["input_spec"]
        return next((name for name, field in inputs.items() if field["type"] == "url"), None)


def _default(field: Document) -> Any:
    """An answer to a required question other than the one about the image."""
    if field.get("allowed_values"):
        return field["allowed_values"][0]
    if field["type"].startswith("array_"):
        return []
    plain: dict[str, Any] = {
        "boolean": False,
        "integer": field.get("min_value") or 0,
        "float": field.get("min_value") or 0.0,
    }
    return plain.get(field["type"], "-")
