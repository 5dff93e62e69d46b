"""A real Label Studio in its own virtual environment (`make label-studio-server` installs it), and people who work in it as a browser does."""

from __future__ import annotations

import argparse
import atexit
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from driftwatch_sandbox.demo.postgres import postgres_binaries, running_postgres
from driftwatch_sandbox.demo.processes import free_port

from .server import OWNER, PEOPLE, token_of

PINNED = Path(__file__).with_name("label_studio.txt")
VERSION = re.findall(r"^label-studio==(\S+)", PINNED.read_text(encoding="utf-8"), flags=re.M)[0]
HOME = Path(__file__).parents[2] / "var" / "label-studio"
PYTHON = HOME / "venv" / "bin" / "python"
# An empty database with an owner and some people, for each kind of database.
SQLITE, POSTGRES = HOME / "template" / "label_studio.sqlite3", HOME / "template" / "label_studio.dump"
SECRET_KEY = "a-key-of-the-tests-that-is-long-enough"
SECONDS = 60.0  # the machine may be busy


def environment(folder: Path, database: str | None = None) -> dict[str, str]:
    """What a headless Label Studio needs, of which no connection leaves the machine. `database`: a Postgres URL; SQLite by default."""
    found = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "SECRET_KEY": SECRET_KEY,
        "TASK_LOCK_TTL": "3600",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    if database:
        parts = urlsplit(database)
        names = {"USER": parts.username, "PASSWORD": parts.password, "HOST": parts.hostname, "PORT": parts.port}
        found |= {f"POSTGRE_{name}": str(value) for name, value in names.items()}
        found |= {"POSTGRE_NAME": parts.path.strip("/"), "DJANGO_DB": "default"}
    return found


def make_template() -> None:
    """The one for SQLite: once, as part of the installation, since migrating takes a minute."""
    shutil.rmtree(SQLITE.parent, ignore_errors=True)
    SQLITE.parent.mkdir(parents=True)
    _prepare(environment(SQLITE.parent))


def make_postgres_template(binaries: Path) -> None:
    """The one for Postgres, when a test first needs it: `make test` does not."""
    with running_postgres() as database:
        _prepare(environment(SQLITE.parent, database))
        aside = POSTGRES.with_suffix(".part")
        _postgres(binaries / "pg_dump", database, "--format=custom", f"--file={aside}")
        aside.replace(POSTGRES)


def _prepare(env: dict[str, str]) -> None:
    command = [str(PYTHON), str(Path(__file__).with_name("server.py")), "prepare"]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _postgres(program: Path, database: str, *options: str) -> None:
    parts = urlsplit(database)
    where = [f"--host={parts.hostname}", f"--port={parts.port}", f"--username={parts.username}"]
    password = {"PATH": os.environ["PATH"], "PGPASSWORD": str(parts.password)}
    subprocess.run([str(program), *where, f"--dbname={parts.path.strip('/')}", *options], env=password, check=True)


@dataclass
class Person:
    """Somebody who is signed in."""

    http: httpx.Client

    @cached_property
    def id(self) -> str:
        """By which the server knows the person."""
        return str(self.http.get("/api/current-user/whoami").raise_for_status().json()["id"])

    def next_task(self, project: str) -> dict[str, Any] | None:
        """What the button `Label All Tasks` does; None where there is nothing for the person."""
        path = f"/api/dm/actions/?id=next_task&project={project}"
        reply = self.http.post(path, json={"project": project})
        return None if reply.status_code == 404 else reply.raise_for_status().json()

    def submit(self, task: int, choice: str, seconds: float = 5.0, **more: Any) -> httpx.Response:
        """What the browser sends; 409 for an answer that was stored before."""
        value = {"from_name": "answer", "to_name": "image", "type": "choices", "value": {"choices": [choice]}}
        reply = self.http.post(
            f"/api/tasks/{task}/annotations/", json={"result": [value], "lead_time": seconds, **more}
        )
        return reply if reply.status_code == 409 else reply.raise_for_status()

    def label_all(self, project: str, choose: Callable[[str], str]) -> int:
        """Answers until there is nothing left; how many. An empty stream can pass while others hold the last tasks."""
        given, empty = 0, 0
        while empty < 3:
            task = self.next_task(project)
            if task is None:
                empty += 1
                time.sleep(0.3)
                continue
            empty = 0
            self.submit(task["id"], choose(task["data"]["image_id"]), unique_id=task["unique_lock_id"])
            given += 1
        return given


@dataclass
class LabelStudio:
    """A running server, and the environment that it runs in. `token`: the owner's, a legacy one."""

    url: str
    env: dict[str, str] = field(repr=False)
    people: dict[str, Person] = field(default_factory=dict)

    token = token_of(OWNER)

    def __post_init__(self) -> None:
        for name in PEOPLE:
            headers = {"Authorization": f"Token {token_of(name)}"}
            self.people[name] = Person(httpx.Client(base_url=self.url, headers=headers, timeout=SECONDS))

    @property
    def owner(self) -> httpx.Client:
        return self.people[OWNER].http

    @cached_property
    def personal_token(self) -> str:
        """The owner's; a server gives one once."""
        return self.owner.post("/api/token/", json={}).raise_for_status().json()["token"]

    def projects(self) -> list[dict[str, Any]]:
        found = self.owner.get("/api/projects/", params={"page_size": 100, "ordering": "id"})
        return found.raise_for_status().json()["results"]

    def tasks(self, project: str) -> list[dict[str, Any]]:
        asked = {"project": project, "page_size": 10_000, "fields": "all"}
        return self.owner.get("/api/tasks/", params=asked).raise_for_status().json()["tasks"]

    def answer_all(self, project: str, choice: str, people: Sequence[str]) -> None:
        """Each of the people has given the same answer to each image: written into the database, as thousands of requests take long."""
        ids = ",".join(self.people[name].id for name in people)
        command = [str(PYTHON), str(Path(__file__).with_name("server.py")), "answer", project, choice, ids]
        subprocess.run(command, env=self.env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def clear(self) -> None:
        for project in self.projects():
            self.owner.delete(f"/api/projects/{project['id']}/").raise_for_status()


@contextmanager
def label_studio_server(folder: Path, postgres: bool = False) -> Iterator[LabelStudio]:
    """The server, with its data in `folder`, on SQLite or on a Postgres of its own."""
    if not (HOME / "installed").exists():
        pytest.skip(
            f"Label Studio is not installed in {HOME}: `make label-studio-server` does that where packages can be had"
        )
    with ExitStack() as stack:
        database = None
        if postgres:
            binaries = postgres_binaries()
            if binaries is None:
                pytest.skip("Postgres is not on this machine (Debian: apt-get install postgresql)")
            if not POSTGRES.exists():
                make_postgres_template(binaries)
            database = stack.enter_context(running_postgres())
            _postgres(binaries / "pg_restore", database, "--no-owner", str(POSTGRES))
        else:
            shutil.copy(SQLITE, folder / SQLITE.name)
        yield stack.enter_context(_serving(folder, database))


@cache
def shared_server() -> LabelStudio:
    """One on SQLite that all tests of this process share; it takes ten seconds to start."""
    folder = Path(tempfile.mkdtemp(prefix="driftwatch-label-studio-"))
    stack = ExitStack()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(stack.close)
    return stack.enter_context(label_studio_server(folder))


@contextmanager
def _serving(folder: Path, database: str | None) -> Iterator[LabelStudio]:
    port, log, env = free_port(), folder / "label_studio.log", environment(folder, database)
    command = [str(PYTHON), str(Path(__file__).with_name("server.py")), "serve", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=file, stderr=file)
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + 3 * SECONDS
        while not _answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield LabelStudio(url, env)
    finally:
        process.kill()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=SECONDS).is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    argparse.ArgumentParser(description="Makes the database that the tests copy").parse_args()
    make_template()
