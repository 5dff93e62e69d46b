"""One pool's tasks and assignments in memory: what is still open, who has seen what, which page comes next."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable

from driftwatch_sandbox.toloka.chance import chance
from driftwatch_sandbox.toloka.store import Document, Store

# Assignments in these states take one place of a task's overlap. Rejected, skipped and expired ones give it back.
HOLDING = ("ACTIVE", "SUBMITTED", "ACCEPTED")
COUNTED = ("SUBMITTED", "ACCEPTED")


class Board:
    """The state of one pool or training. `Exchange` keeps it equal to the store.

    `real`, `golden` and `training` hold its tasks by id; `held` and `answered` count each task's places that are taken
    and that have an answer; `votes` counts the answers to each; `seen` has the tasks each user was ever given; `pages` each
    user's assignments in order.
    """

    def __init__(self, pool: Document, tasks: Iterable[Document], assignments: Iterable[Document]) -> None:
        self.pool = pool
        self.real: dict[str, Document] = {}
        self.golden: dict[str, Document] = {}
        self.training: dict[str, Document] = {}
        self.held: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.seen: defaultdict[str, set[str]] = defaultdict(set)
        self.pages: defaultdict[str, dict[str, Document]] = defaultdict(dict)
        self._tainted: set[str] = set()
        for task in tasks:
            self._kind(task)[task["id"]] = task
        self._open = {task_id: None for task_id in self._order() if self.has_place(task_id)}
        for assignment in assignments:
            self.record(assignment)

    @classmethod
    def load(cls, store: Store, pool: Document) -> Board:
        here = [("pool_id", "=", pool["id"])]
        assignments = store.find("assignments", here, [("created", False), ("id", False)])
        return cls(pool, store.find("tasks", here), assignments)

    def _kind(self, task: Document) -> dict[str, Document]:
        if not task.get("known_solutions"):
            return self.real
        return self.training if task.get("message_on_unknown_solution") else self.golden

    def _order(self) -> list[str]:
        """Real tasks in the order in which they are handed out. All workers have the same order, so that pages are full."""
        if (self.pool.get("mixer_config") or {}).get("mix_tasks_in_creation_order"):
            return list(self.real)
        return sorted(self.real, key=lambda task_id: chance("order", task_id))

    def task(self, task_id: str) -> Document | None:
        return self.real.get(task_id) or self.golden.get(task_id) or self.training.get(task_id)

    def has_place(self, task_id: str) -> bool:
        task = self.task(task_id)
        return task is not None and (task["infinite_overlap"] or self.held[task_id] < task["overlap"])

    def record(self, assignment: Document) -> None:
        """Notes a new assignment, or the new state of a known one."""
        user, status = assignment["user_id"], assignment["status"]
        known = self.pages[user].get(assignment["id"], {})
        before, solutions = known.get("status"), assignment.get("solutions") or known.get("solutions")
        self.pages[user][assignment["id"]] = assignment
        counted = (status in COUNTED) - (before in COUNTED)
        for index, task in enumerate(assignment["tasks"]):
            task_id = task["id"]
            self.seen[user].add(task_id)
            self.held[task_id] += (status in HOLDING) - (before in HOLDING)
            self.answered[task_id] += counted
            if counted and solutions:
                self.votes[task_id][vote(solutions[index])] += counted
            if status == "SKIPPED":
                self._tainted.add(task_id)
            if task_id not in self.real:
                continue
            if not self.has_place(task_id):
                self._open.pop(task_id, None)
            else:
                self._open.setdefault(task_id, None)

    def assignments(self) -> Iterable[Document]:
        for pages in self.pages.values():
            yield from pages.values()

    def is_complete(self) -> bool:
        """Whether every real task has as many answers as its overlap asks for."""
        return bool(self.real) and all(
            not task["infinite_overlap"] and self.answered[task_id] >= task["overlap"]
            for task_id, task in self.real.items()
        )

    def completion_percentage(self) -> int:
        wanted = {task_id: task["overlap"] for task_id, task in self.real.items() if not task["infinite_overlap"]}
        total = sum(wanted.values())
        return sum(min(self.answered[task_id], n) for task_id, n in wanted.items()) * 100 // total if total else 0

    def next_page(self, user: str, may_be_short: bool) -> list[Document] | None:
        """The tasks of a user's next page, by the rules of the pool's mixer. None if there is none. `may_be_short`: a page may be incomplete."""
        mixer = self.pool["mixer_config"]
        wanted = mixer["real_tasks_count"]
        real = self._real_tasks(user, wanted)
        least = mixer.get("min_real_tasks_count")
        if len(real) < (wanted if least is None else least):
            forced = may_be_short and mixer.get("force_last_assignment", True)
            if not (real and (forced or real[0]["id"] in self._tainted)):
                return None
        if wanted and not real:
            return None
        page = real
        for kind, tasks in (("golden", self.golden), ("training", self.training)):
            count = mixer.get(f"{kind}_tasks_count") or 0
            minimum = mixer.get(f"min_{kind}_tasks_count")
            chosen = self._control_tasks(user, tasks, count)
            if len(chosen) < (count if minimum is None else minimum):
                return None
            page = page + chosen
        if mixer.get("shuffle_tasks_in_task_suite", True):
            random.Random(f"{user} {page[0]['id']}").shuffle(page)  # noqa: S311
        return page

    def _real_tasks(self, user: str, count: int) -> list[Document]:
        """Up to `count` open tasks the user has not seen.

        Tasks of skipped pages come last. Each user gets them in another order, and only half of them at once: otherwise an image that
        cannot be shown would make everybody skip its neighbours too.
        """
        clean: list[str] = []
        tainted: list[str] = []
        for task_id in self._open:
            if task_id in self.seen[user] or not _may_see(self.real[task_id], user):
                continue
            (tainted if task_id in self._tainted else clean).append(task_id)
            if len(clean) == count:
                break
        if not clean:
            tainted.sort(key=lambda task_id: chance("mix", user, task_id))
            clean = tainted[: max(1, min(count, len(tainted)) // 2)]
        return [self.real[task_id] for task_id in clean]

    def _control_tasks(self, user: str, tasks: dict[str, Document], count: int) -> list[Document]:
        unseen = [task_id for task_id in tasks if task_id not in self.seen[user] and self.has_place(task_id)]
        unseen.sort(key=lambda task_id: chance("control", user, task_id))
        return [tasks[task_id] for task_id in unseen[:count]]

    def may_get_more(self, user: str) -> bool:
        """Whether a task lacks answers that the user was never given: it may come to the user, now or when somebody gives it back."""
        return any(
            task_id not in self.seen[user]
            and _may_see(task, user)
            and (task["infinite_overlap"] or self.answered[task_id] < task["overlap"])
            for task_id, task in self.real.items()
        )

    def exam(self) -> list[Document]:
        """All tasks that a worker must answer to pass this training."""
        count = self.pool["training_tasks_in_task_suite_count"] * self.pool["task_suites_required_to_pass"]
        return [*self.training.values(), *self.golden.values()][:count]


def vote(solution: Document) -> str:
    """A solution in a form that can be counted."""
    return repr(sorted(solution["output_values"].items()))


def _may_see(task: Document, user: str) -> bool:
    reserved = task.get("reserved_for")
    return (not reserved or user in reserved) and user not in (task.get("unavailable_for") or ())
