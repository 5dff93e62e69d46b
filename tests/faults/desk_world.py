"""Days whose labels come from a desk: the same operators, and people who answer on its page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from driftwatch.config.labels import DESK
from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.people import Keys
from driftwatch_servers.desk.tables import PERSON, answers, batches, tasks
from driftwatch_servers.labelling.app import COOKIE

from .desk_server import TOKEN
from .world import PATIENT, Case, World

_SETTINGS = {"backend": DESK, "connection": "desk", "exam": None, "overlap": 2, "control_tasks_per_page": 2}


class RunningDesk:
    """A desk that runs at `url`, and the people of its days."""

    def __init__(self, url: str, database: Path) -> None:
        self.url, self.database = url, Database(f"sqlite:///{database}")
        self._http = httpx.Client(base_url=url, timeout=20)
        people = Keys(self.database, PERSON)
        self.people = [self._log_in(people.add(name, 1)) for name in ("ann", "bea")]

    def _log_in(self, token: str) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=20)
        login = client.post("/login", json={"token": token}).raise_for_status()
        client.headers["Cookie"] = f"{COOKIE}={login.cookies[COOKIE]}"
        return client

    def connection(self, timeout: float = PATIENT) -> dict[str, str]:
        """The Airflow connection to it, as an environment variable."""
        extra = {"timeout": timeout, "retries": 1}
        fields = {"conn_type": "driftwatch_desk", "host": self.url, "password": TOKEN, "extra": extra}
        return {"AIRFLOW_CONN_DESK": json.dumps(fields)}

    def fault(self, **fields: Any) -> None:
        self._http.post("/_sandbox/faults", json=fields).raise_for_status()

    def no_faults(self) -> None:
        self._http.delete("/_sandbox/faults").raise_for_status()

    def rows(self, wanted: sa.Select) -> list[tuple[Any, ...]]:
        with self.database.reading() as connection:
            return sorted(tuple(row) for row in connection.execute(wanted))

    def case(self, world: World) -> DeskCase:
        return world.case(partial(DeskCase, desk=self), annotation=_SETTINGS)  # type: ignore[arg-type, return-value]


class DeskCase(Case):
    """A day whose people answer at the desk: all cats."""

    def __init__(self, *fields: Any, desk: RunningDesk) -> None:
        self.desk = desk
        super().__init__(*fields)

    def people_answer(self) -> None:
        key = self.storage.read_json(self.keys.annotation)["pool_id"]
        for person in self.desk.people:
            while page := person.post(f"/pools/{key}/page", json={}).raise_for_status().json()["page"]:
                for task in page["tasks"]:
                    body = {"task_id": task["id"], "output_values": {"result": "cat"}}
                    person.post(f"/pages/{page['id']}/answers", json=body).raise_for_status()

    def end(self) -> dict[str, Any]:
        """What counts in the end."""
        name = f"{self.monitor.name}."
        known = sa.case((tasks.c.known.is_(None), tasks.c.image_id), else_="known")
        of_day = [table.c.batch.startswith(name) for table in (tasks, answers)]
        whose = sa.and_(tasks.c.batch == answers.c.batch, tasks.c.image_id == answers.c.image_id)
        votes = sa.select(answers.c.person, known, answers.c.answer, answers.c.state).join(tasks, whose)
        there = self.storage.exists(self.keys.labels)
        states = sa.select(batches.c.state, batches.c.close_reason).where(batches.c.key.startswith(name))
        return {
            "batches": self.desk.rows(states),
            "tasks": self.desk.rows(sa.select(known, tasks.c.answered, tasks.c.places).where(of_day[0])),
            "votes": self.desk.rows(votes.where(of_day[1])),
            "labels": self.storage.read_table(self.keys.labels).to_dict("list") if there else None,
        }


@contextmanager
def desk_process(folder: Path, root: Path) -> Iterator[RunningDesk]:
    """Starts it, and ends it."""
    database = folder / "desk.db"
    command: list[str] = [sys.executable, "-m", "tests.faults.desk_server", str(database)]
    with (folder / "desk.log").open("w") as log:
        process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), (folder / "desk.log").read_text()
        yield RunningDesk(line.removeprefix("listening on ").strip(), database)
    finally:
        process.terminate()
        process.wait(20)
