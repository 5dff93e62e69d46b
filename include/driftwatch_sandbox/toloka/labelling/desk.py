"""A person's desk: takes pages from the exchange, keeps each answer at once, hands the page in when it is full."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

from driftwatch_sandbox.private_files import check_private
from driftwatch_sandbox.toloka import times
from driftwatch_sandbox.toloka.context import Sandbox
from driftwatch_sandbox.toloka.door import CROWD, Door, served_by
from driftwatch_sandbox.toloka.enforcement import restrictions
from driftwatch_sandbox.toloka.errors import conflict, not_found, validation
from driftwatch_sandbox.toloka.fields import check_values
from driftwatch_sandbox.toloka.labelling.sessions import Guesses, Sessions
from driftwatch_sandbox.toloka.labelling.view import read_view
from driftwatch_sandbox.toloka.store import Document
from driftwatch_sandbox.toloka.workers import LANGUAGE_SKILLS, Worker

_DRAFTS = "drafts"
_SHORTEST_TOKEN = 12


def read_people(path: Path) -> dict[str, str]:
    """The file `{name: token}`; raises ValueError for one that others may read, that holds something else, a short token, or one
    token twice."""
    try:
        check_private(path, "--people")
        people = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"--people {path}: cannot be read: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"--people {path}: cannot be read as JSON: {error}") from error
    if not isinstance(people, dict) or not people or not all(isinstance(token, str) for token in people.values()):
        raise ValueError(f'--people {path}: must hold {{"name": "token", …}} with at least one person')
    if len(set(people.values())) < len(people) or any(len(token) < _SHORTEST_TOKEN for token in people.values()):
        raise ValueError(
            f"--people {path}: each person needs a token of their own of at least {_SHORTEST_TOKEN} characters"
        )
    return people


class Desk:
    """What people do. A person is a worker who speaks every language; the pool's other rules hold as for anyone."""

    def __init__(self, box: Sandbox, people: dict[str, str]) -> None:
        self._box, self._exchange, self._store = box, box.exchange, box.store
        self._door = Door(box.exchange, 1.0)
        self.sessions, self.guesses = Sessions(box.store), Guesses()
        self._tokens = people
        self._people = {name: _person(name) for name in people}
        self._ids = {person.id for person in self._people.values()}

    def owner(self, token: str) -> str | None:
        """The name of the person whose token it is."""
        given = token.encode(errors="surrogatepass")
        return next((name for name, known in self._tokens.items() if hmac.compare_digest(known.encode(), given)), None)

    def person(self, session: str) -> Worker | None:
        """Who is logged in with this session; None also for somebody whom the people's file no longer names."""
        return self._people.get(self.sessions.name(session) or "")

    def pools(self, person: Worker) -> list[dict[str, Any]]:
        """The open pools that people serve, and why the person may not enter one."""
        found = []
        with self._store.transaction():
            for pool in self._exchange.open_pools():
                if pool["type"] == "TRAINING" or served_by(pool) == CROWD:
                    continue
                project = self._project(pool)
                bans = restrictions(self._store, person.id, pool)
                reason = "; ".join(str(ban.get("private_comment") or "restricted") for ban in bans)
                if not reason and not self._door.may_enter(person, pool):
                    reason = "the pool's filter or exam does not let you in"
                found.append(
                    {
                        "id": pool["id"],
                        "name": pool["private_name"],
                        "project": project["public_name"],
                        "instructions": pool.get("public_instructions") or project.get("public_instructions") or "",
                        "done": self._exchange.board(pool["id"]).completion_percentage(),
                        "closed_to_you": reason,
                    }
                )
        return found

    def page(self, person: Worker, pool_id: str) -> dict[str, Any] | None:
        """The page that the person is at, with the answers so far, else the pool's next one; None where there is none now."""
        now = time.time()
        self.expire_overdue(now)
        with self._store.transaction():
            active = self._active(person.id)
            if active is None:
                pool = self._exchange.pool(pool_id)
                if pool["status"] != "OPEN" or served_by(pool) == CROWD or not self._door.may_enter(person, pool):
                    return None
                source, tasks = self._door.page(person, pool, now)
                if not tasks:
                    return None
                limit = source.get("assignment_max_duration_seconds") or 3600
                active = self._exchange.issue(source["id"], person.id, tasks, times.text(now), now + limit)
                if active is None:
                    return None
            return self._shown(active)

    def answer(self, person: Worker, page_id: str, task_id: str, values: Document) -> dict[str, Any]:
        """Keeps one answer; with the last one the page is handed in. Returns how far the page is."""
        with self._store.transaction():
            page = self._mine(person, page_id)
            if task_id not in {task["id"] for task in page["tasks"]}:
                raise not_found("task", task_id)
            spec = self._project(page)["task_spec"]["output_spec"]
            errors = check_values(values, spec, "output_values")
            if errors:
                raise validation(errors)
            answers = self._answers(page_id)
            answers.pop(task_id, None)  # an answer given again is the newest
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
        return {"answered": len(answers), "of": len(page["tasks"]), "handed_in": handed_in}

    def undo(self, person: Worker, page_id: str) -> str | None:
        """Takes back the page's newest answer and returns its task; None where there is none. A page handed in stays so."""
        with self._store.transaction():
            self._mine(person, page_id)
            answers = self._answers(page_id)
            task_id = answers.popitem()[0] if answers else None
            self._keep(page_id, answers)
        return task_id

    def skip(self, person: Worker, page_id: str) -> None:
        """Gives the page back, with its answers lost; as at Toloka, who skips too many in a row is paused."""
        with self._store.transaction():
            page = self._mine(person, page_id)
            self._exchange.give_back(page, "SKIPPED", times.now_text())
            self._store.delete(_DRAFTS, page_id)
        self._box.wake.set()

    def expire_overdue(self, now: float) -> None:
        """Ends people's pages whose time is over; their places come free again."""
        for page in self._store.find("assignments", [("status", "=", "ACTIVE")]):
            if page["user_id"] in self._ids and page["_due"] <= now:
                with self._store.transaction():
                    current = self._store.get("assignments", page["id"])
                    if current and current["status"] == "ACTIVE":
                        self._exchange.give_back(current, "EXPIRED", times.text(page["_due"]))
                        self._store.delete(_DRAFTS, page["id"])

    def _active(self, user_id: str) -> Document | None:
        found = self._store.find("assignments", [("status", "=", "ACTIVE"), ("user_id", "=", user_id)])
        return found[0] if found else None

    def _mine(self, person: Worker, page_id: str) -> Document:
        page = self._store.get("assignments", page_id)
        if page is None or page["user_id"] != person.id:
            raise not_found("page", page_id)
        if page["status"] != "ACTIVE" or page["_due"] <= time.time():
            raise conflict(
                "INAPPROPRIATE_STATUS", "this page is over: it was handed in, given back, or its time has passed"
            )
        return page

    def _answers(self, page_id: str) -> dict[str, Document]:
        return dict((self._store.get(_DRAFTS, page_id) or {"answers": []})["answers"])

    def _keep(self, page_id: str, answers: dict[str, Document]) -> None:
        self._store.put(_DRAFTS, {"id": page_id, "answers": list(answers.items())})

    def _project(self, of: Document) -> Document:
        pool = self._exchange.pool(of["pool_id"]) if "pool_id" in of else of
        project = self._store.get("projects", pool["project_id"])
        assert project is not None  # projects are never deleted
        return project

    def _shown(self, page: Document) -> dict[str, Any]:
        project = self._project(page)
        hidden = {name for name, field in project["task_spec"]["input_spec"].items() if field.get("hidden")}
        tasks = [
            {
                "id": task["id"],
                "inputs": {name: value for name, value in task["input_values"].items() if name not in hidden},
            }
            for task in page["tasks"]
        ]  # a control task looks like any other
        return {
            "id": page["id"],
            "tasks": tasks,
            "answers": self._answers(page["id"]),
            "view": read_view(project),
            "due": page["_due"],
            "done": self._exchange.board(page["pool_id"]).completion_percentage(),
        }


def _person(name: str) -> Worker:
    languages = list(LANGUAGE_SKILLS)
    profile = {
        "languages": languages, "adult_allowed": True, "client_type": "BROWSER", "user_agent_type": "BROWSER",
        "device_category": "PERSONAL_COMPUTER", "rating": 100.0,
    }  # fmt: skip
    return Worker(hashlib.sha256(f"person {name}".encode()).hexdigest()[:32], "careful", 1.0, 1.0, profile)
