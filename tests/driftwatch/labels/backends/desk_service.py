"""A desk over real HTTP, with people who label in it as the page's script does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from driftwatch.credentials import Access
from driftwatch.labels.backends.base import LabelSite, Pool
from driftwatch_servers.desk.app import Settings, create_app
from driftwatch_servers.desk.batches import Batches
from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.people import Keys
from driftwatch_servers.desk.tables import CLIENT, PERSON, batches, tasks
from driftwatch_servers.labelling.app import COOKIE
from driftwatch_servers.serving import running


class Clock:
    """The real time, and what a test has let pass besides."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return time.time() + self.passed


class DeskService:
    name = "desk"

    def __init__(self, url: str, database: str, clock: Clock) -> None:
        self._url, self._clock, self._database = url, clock, Database(database)
        token = Keys(self._database, CLIENT).add("airflow", 1)
        self._people = Keys(self._database, PERSON)
        self._browsers: dict[str, httpx.Client] = {}
        self.site, self.stolen = (
            LabelSite("driftwatch_desk_default", lambda connection, secret, used=used: self._access(used))
            for used in (token, "stolen-token")
        )

    def _access(self, token: str) -> Access:
        extras = {"timeout": 5, "retries": 0}
        return Access("the Airflow connection driftwatch_desk_default", self._url, token, extras)

    def pools(self) -> int:
        return len(self._rows(sa.select(batches).where(batches.c.state != "draft")))

    def shown(self, pool: Pool) -> list[str]:
        return [row.image_id for row in self._rows(sa.select(tasks).where(tasks.c.batch == pool.pool_id))]

    def who(self, annotator: str) -> str:
        return annotator

    def answer(self, pool: Pool, annotator: str, choice: str, images: Sequence[str], seconds: float = 60) -> None:
        truth = {row.image_id: row.known for row in self._rows(sa.select(tasks).where(tasks.c.batch == pool.pool_id))}
        browser = self.browser(annotator)
        page = browser.post(f"/pools/{pool.pool_id}/page", json={}).raise_for_status().json()["page"]
        asked = [task["id"] for task in page["tasks"] if truth[task["id"]] or task["id"] in images]
        for image_id in asked:
            self._clock.passed += seconds / len(asked)
            body = {"task_id": image_id, "output_values": {"result": truth[image_id] or choice}}
            browser.post(f"/pages/{page['id']}/answers", json=body).raise_for_status()

    def reopen(self, key: str, hours: float) -> None:
        """What whoever runs the desk does by hand."""
        Batches(self._database, self._clock).reopen(key, hours)

    def browser(self, name: str) -> httpx.Client:
        """Somebody who is logged in."""
        if name not in self._browsers:
            client = httpx.Client(base_url=self._url, timeout=20)
            login = client.post("/login", json={"token": self._people.add(name, 1)}).raise_for_status()
            client.headers["Cookie"] = f"{COOKIE}={login.cookies[COOKIE]}"
            self._browsers[name] = client
        return self._browsers[name]

    def _rows(self, wanted: sa.Select) -> list[sa.Row]:
        with self._database.reading() as connection:
            return list(connection.execute(wanted))


@contextmanager
def desk(folder: Path, _patch: pytest.MonkeyPatch) -> Iterator[DeskService]:
    clock, database = Clock(), f"sqlite:///{folder}/desk.db"
    with running(create_app(Settings(database, clock=clock))) as url:
        yield DeskService(url, database, clock)
