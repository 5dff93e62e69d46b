"""A desk that runs, with a client that brings work and people who answer, all by HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import httpx

from driftwatch.labels.backends.desk.wire import Batch, Rules
from driftwatch_servers.desk.app import Settings, create_app
from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.people import Keys
from driftwatch_servers.desk.tables import CLIENT, PERSON
from driftwatch_servers.labelling.app import COOKIE
from driftwatch_servers.serving import running

KEY = "cats.2026-11-20"
RULES = Rules(
    control_history=10,
    control_min_answers=3,
    control_min_correct_percent=60,
    fast_seconds=5,
    fast_max=2,
    skipped_in_row=3,
    ban_days=10,
)


class Clock:
    """The time in Unix seconds; it passes when a test says so."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


class Desk:
    """What a test asks of a desk that runs at `url`."""

    def __init__(self, url: str, database: str, clock: Clock) -> None:
        self.url, self.clock = url, clock
        opened = Database(database)
        self.people, self.clients = Keys(opened, PERSON, clock), Keys(opened, CLIENT, clock)
        token = self.clients.add(f"client {len(self.clients.all())}", 1)
        self.api = httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def batch(self, **changed: Any) -> dict[str, Any]:
        """The body of a batch that ends in an hour."""
        usual = {
            "project": "cats",
            "title": "Cats and dogs",
            "day": "2026-11-20",
            "question": "What is it?",
            "instructions": "<p>Look.</p>",
            "classes": ("cat", "dog"),
            "unclear": "unclear",
            "overlap": 2,
            "tasks_per_page": 4,
            "control_per_page": 1,
            "page_seconds": 600,
            "ends": datetime.fromtimestamp(int(self.clock.now) + 3600, timezone.utc),
            "rules": RULES,
        }
        return Batch(**{**usual, **changed}).model_dump(mode="json")

    def opened(self, images: int = 8, control: int = 4, key: str = KEY, **changed: Any) -> None:
        """Brings and opens a batch; the control tasks are all cats."""
        self.ask("PUT", f"/batches/{key}", self.batch(**changed))
        self.ask("PUT", f"/batches/{key}/tasks", {"tasks": tasks(images, control)})
        self.ask("POST", f"/batches/{key}/open", {"tasks": images + control})

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.api.request(method, path, json=body).raise_for_status().json()

    def state(self, key: str = KEY) -> dict[str, Any]:
        return self.ask("GET", f"/batches/{key}")

    def given(self, key: str = KEY) -> list[dict[str, Any]]:
        return self.ask("GET", f"/batches/{key}/answers")["answers"]

    def person(self, name: str) -> Person:
        return Person(self, self.people.add(name, 30))


class Person:
    """Somebody who is logged in, as the page's script is."""

    def __init__(self, desk: Desk, token: str) -> None:
        self.desk, self.token = desk, token
        self.http = httpx.Client(base_url=desk.url, timeout=30)
        login = self.http.post("/login", json={"token": token}).raise_for_status()
        self.http.headers["Cookie"] = f"{COOKIE}={login.cookies[COOKIE]}"

    def take(self, key: str = KEY) -> Any:
        return self.http.post(f"/pools/{key}/page", json={}).raise_for_status().json()["page"]

    def give(self, page: Any, task_id: str, choice: str = "cat", seconds: float = 10) -> httpx.Response:
        self.desk.clock.now += seconds
        body = {"task_id": task_id, "output_values": {"result": choice}}
        return self.http.post(f"/pages/{page['id']}/answers", json=body)

    def fill(self, page: Any, choice: str = "cat", seconds: float = 10) -> None:
        for task in page["tasks"]:
            self.give(page, task["id"], choice, seconds).raise_for_status()

    def work(self, key: str = KEY, choice: str = "cat", seconds: float = 10) -> list[str]:
        """Answers pages until none is left. Gives the ids of the tasks."""
        done = []
        while page := self.take(key):
            self.fill(page, choice, seconds)
            done += [task["id"] for task in page["tasks"]]
        return done

    def undo(self, key: str = KEY) -> Any:
        return self.http.post(f"/pools/{key}/undo", json={}).raise_for_status().json()["taken_back"]

    def skip(self, page: Any) -> None:
        self.http.post(f"/pages/{page['id']}/skip", json={}).raise_for_status()

    def closed_because(self, key: str = KEY) -> str:
        found = self.http.get("/pools").raise_for_status().json()["pools"]
        return next(pool["closed_to_you"] for pool in found if pool["id"] == key)


def tasks(images: int, control: int = 0) -> list[dict[str, Any]]:
    return [
        {"image_id": name, "link": f"http://127.0.0.1:9/{name}.jpg", "known": known}
        for name, known in (
            *((f"image{number:03d}", None) for number in range(images)),
            *((f"known{number:03d}", "cat") for number in range(control)),
        )
    ]


@contextmanager
def running_desk(database: str, clock: Clock | None = None, **settings: Any) -> Iterator[Desk]:
    proxies = settings.pop("proxies", ())
    clock = clock or Clock()
    with running(create_app(Settings(database, clock=clock, **settings)), proxies=proxies) as url:
        yield Desk(url, database, clock)
