"""Gives the labelling page its work from the exchange. A person takes pages as any other worker does.

The exchange takes only whole pages. So each answer is kept here at once, and a page is handed in with its last answer.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Sandbox
from driftwatch_sandbox.toloka.door import CROWD, Door, served_by
from driftwatch_sandbox.toloka.enforcement import restrictions
from driftwatch_sandbox.toloka.errors import ApiError, conflict, not_found, validation
from driftwatch_sandbox.toloka.fields import check_values
from driftwatch_sandbox.toloka.quality import ANSWERED, speed_limit
from driftwatch_sandbox.toloka.store import Document, Store
from driftwatch_sandbox.toloka.template_view import UnknownComponent, read_view
from driftwatch_sandbox.toloka.workers import LANGUAGE_SKILLS, Worker
from driftwatch_servers.labelling.sessions import Session
from driftwatch_servers.labelling.source import Haste, Page, Pool, Progress, Refused, TakenBack, Task, Values, Work

_DRAFTS, _SESSIONS = "drafts", "sessions"


class Desk:
    """A `TaskSource` that works on the exchange. A person is a worker who speaks every language. All other rules of the pool hold."""

    def __init__(self, box: Sandbox, people: Iterable[str]) -> None:
        self._box, self._exchange, self._store = box, box.exchange, box.store
        self._door = Door(box.exchange, 1.0)
        self._workers = {name: _worker(name) for name in people}
        self._ids = {worker.id for worker in self._workers.values()}

    def pools(self, person: str) -> list[Pool]:
        worker = self._workers[person]
        with self._work():
            return [
                self._pool_shown(worker, pool)
                for pool in self._exchange.open_pools()
                if pool["type"] != "TRAINING" and served_by(pool) != CROWD
            ]

    def page(self, person: str, pool_id: str) -> Page | None:
        worker, now = self._workers[person], time.time()
        self.expire_overdue(now)
        with self._work():
            active = next(iter(self._active(worker)), None) or self._take(worker, pool_id, now)
            return None if active is None else self._page_shown(active)

    def answer(self, person: str, page_id: str, task_id: str, values: Values) -> Progress:
        with self._work():
            page = self._mine(person, page_id)
            if task_id not in {task["id"] for task in page["tasks"]}:
                raise not_found("task", task_id)
            errors = check_values(values, self._project(page)["task_spec"]["output_spec"], "output_values")
            if errors:
                raise validation(errors)
            answers = self._answers(page_id)
            answers.pop(task_id, None)  # a task that is answered again has the newest answer
            answers[task_id] = values
            handed_in = len(answers) == len(page["tasks"])
            if handed_in:
                solutions = [{"output_values": answers[task["id"]]} for task in page["tasks"]]
                self._exchange.submit(page, solutions, times.now_text())
                self._store.delete(_DRAFTS, page_id)
            else:
                self._keep(page_id, answers)
        if handed_in:
            self._box.wake.set()
        return Progress(len(answers), len(page["tasks"]), handed_in)

    def undo(self, person: str, pool_id: str) -> TakenBack | None:
        worker = self._workers[person]
        with self._work():
            active = self._active(worker)
            page = next((page for page in active if self._answers(page["id"])), None)
            page = page or self._reopened(worker, active[0]["pool_id"] if active else pool_id)
            if page is None:
                return None
            self._mine(person, page["id"])
            answers = self._answers(page["id"])
            task_id = answers.popitem()[0]
            self._keep(page["id"], answers)
            return TakenBack(task_id, self._page_shown(page))

    def work(self, person: str, pool_id: str) -> Work:
        user = self._workers[person].id
        with self._work():
            board = self._exchange.board(pool_id)
            pages = [page for page in board.pages[user].values() if page["status"] in ANSWERED]
            seconds = sum(times.seconds(page["submitted"]) - times.seconds(page["created"]) for page in pages)
            more = self._exchange.pool(pool_id)["status"] == "OPEN" and board.may_get_more(user)
            return Work(sum(len(page["tasks"]) for page in pages), seconds, more)

    def skip(self, person: str, page_id: str) -> None:
        """As at Toloka, whoever skips too many pages in a row must pause."""
        with self._work():
            page = self._mine(person, page_id)
            self._exchange.give_back(page, "SKIPPED", times.now_text())
            self._store.delete(_DRAFTS, page_id)
        self._box.wake.set()

    def expire_overdue(self, now: float) -> None:
        """Ends people's pages whose time is over. Their places are free again."""
        for page in self._store.find("assignments", [("status", "=", "ACTIVE")]):
            if page["user_id"] in self._ids and page["_due"] <= now:
                with self._store.transaction():
                    current = self._store.get("assignments", page["id"])
                    if current and current["status"] == "ACTIVE":
                        self._exchange.give_back(current, "EXPIRED", times.text(page["_due"]))
                        self._store.delete(_DRAFTS, page["id"])

    @contextmanager
    def _work(self) -> Iterator[None]:
        """A transaction. What the exchange refuses is raised as `Refused`."""
        try:
            with self._store.transaction():
                yield
        except ApiError as error:
            raise Refused(error.status, error.message) from error
        except UnknownComponent as error:
            raise Refused(501, f"this project cannot be labelled here: {error}") from error

    def _take(self, worker: Worker, pool_id: str, now: float) -> Document | None:
        """A new page of the pool for the worker. None if there is none."""
        pool = self._exchange.pool(pool_id)
        if pool["status"] != "OPEN" or served_by(pool) == CROWD or not self._door.may_enter(worker, pool):
            return None
        source, tasks = self._door.page(worker, pool, now)
        if not tasks:
            return None
        return self._exchange.issue(source["id"], worker.id, tasks, times.text(now), now + _page_seconds(source))

    def _active(self, worker: Worker) -> list[Document]:
        """The pages under way, the oldest first: one, and besides it those that an undo has opened again."""
        return self._store.find("assignments", [("status", "=", "ACTIVE"), ("user_id", "=", worker.id)])

    def _reopened(self, worker: Worker, pool_id: str) -> Document | None:
        """The page that the worker handed in last, open again with all its answers. None if that cannot be."""
        pool = self._exchange.pool(pool_id)
        here = [("pool_id", "=", pool_id), ("user_id", "=", worker.id), ("status", "IN", ANSWERED)]
        last = next(iter(self._store.find("assignments", here, [("submitted", True), ("id", True)], limit=1)), None)
        if last is None or last["status"] != "SUBMITTED" or pool["status"] != "OPEN":
            return None
        if restrictions(self._store, worker.id, pool):
            return None
        given = [solution["output_values"] for solution in last["solutions"]]
        self._keep(last["id"], {task["id"]: values for task, values in zip(last["tasks"], given, strict=True)})
        return self._exchange.reopen(last, time.time() + _page_seconds(pool))

    def _mine(self, person: str, page_id: str) -> Document:
        page = self._store.get("assignments", page_id)
        if page is None or page["user_id"] != self._workers[person].id:
            raise not_found("page", page_id)
        if page["status"] != "ACTIVE" or page["_due"] <= time.time():
            raise conflict(
                "INAPPROPRIATE_STATUS", "this page is over: it was handed in, given back, or its time has passed"
            )
        return page

    def _answers(self, page_id: str) -> dict[str, Values]:
        """The answers kept so far by task, the newest last."""
        return dict((self._store.get(_DRAFTS, page_id) or {"answers": []})["answers"])

    def _keep(self, page_id: str, answers: dict[str, Values]) -> None:
        self._store.put(_DRAFTS, {"id": page_id, "answers": list(answers.items())})

    def _project(self, of: Document) -> Document:
        pool = self._exchange.pool(of["pool_id"]) if "pool_id" in of else of
        project = self._store.get("projects", pool["project_id"])
        assert project is not None  # projects are never deleted
        return project

    def _pool_shown(self, worker: Worker, pool: Document) -> Pool:
        project = self._project(pool)
        bans = restrictions(self._store, worker.id, pool)
        reason = "; ".join(str(ban.get("private_comment") or "restricted") for ban in bans)
        if not reason and not self._door.may_enter(worker, pool):
            reason = "the pool's filter or exam does not let you in"
        instructions = pool.get("public_instructions") or project.get("public_instructions") or ""
        done = self._exchange.board(pool["id"]).completion_percentage()
        return Pool(pool["id"], pool["private_name"], project["public_name"], instructions, done, reason)

    def _page_shown(self, page: Document) -> Page:
        project = self._project(page)
        hidden = {name for name, field in project["task_spec"]["input_spec"].items() if field.get("hidden")}
        tasks = [
            Task(task["id"], {name: value for name, value in task["input_values"].items() if name not in hidden})
            for task in page["tasks"]
        ]
        board = self._exchange.board(page["pool_id"])
        limit = speed_limit(self._exchange.quality_rules(board.pool), board, page["user_id"])
        answers, done = self._answers(page["id"]), board.completion_percentage()
        haste = Haste(*limit) if limit else None
        return Page(page["id"], tasks, read_view(project), page["_due"], done, answers, haste)


class DeskSessions:
    """A `SessionStore` in the stand-in's database: logins stay valid over a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, session_hash: str) -> Session | None:
        found = self._store.get(_SESSIONS, session_hash)
        return Session(found["id"], found["name"], found["until"]) if found else None

    def add(self, session: Session, now: float) -> None:
        with self._store.transaction():
            for ended in self._store.find(_SESSIONS, [("until", "<=", now)]):
                self._store.delete(_SESSIONS, ended["id"])
            self._store.put(_SESSIONS, {"id": session.hash, "name": session.name, "until": session.until})

    def remove(self, session_hash: str) -> None:
        with self._store.transaction():
            self._store.delete(_SESSIONS, session_hash)


def _page_seconds(pool: Document) -> float:
    return float(pool.get("assignment_max_duration_seconds") or 3600)


def _worker(name: str) -> Worker:
    languages = list(LANGUAGE_SKILLS)
    profile = {
        "languages": languages, "adult_allowed": True, "client_type": "BROWSER", "user_agent_type": "BROWSER",
        "device_category": "PERSONAL_COMPUTER", "rating": 100.0,
    }  # fmt: skip
    return Worker(hashlib.sha256(f"person {name}".encode()).hexdigest()[:32], "careful", 1.0, 1.0, profile)
