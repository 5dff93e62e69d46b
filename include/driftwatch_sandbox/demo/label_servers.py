"""The demo's world with a server by which people label: Driftwatch's desk, or a real Label Studio, and a crowd at it."""

from __future__ import annotations

import json
import secrets
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from driftwatch_sandbox.demo.postgres import running_postgres
from driftwatch_sandbox.demo.processes import ServerFailed, lasting_port
from driftwatch_sandbox.demo.world import ROOT, World
from driftwatch_servers.private_files import write_private

_PEOPLE = 12
_TOKENS = "people.json"
# At the desk a page of ten images must take a careful person longer than the demo's `fast_seconds`, by the desk's clock.
_DESK_SPEED = 20.0
_LABEL_STUDIO = ROOT / "var/label-studio/venv/bin/label-studio"
# What keeps Label Studio from reaching out of the machine, and lets it take the token that it is started with.
_LABEL_STUDIO_SETTINGS = {
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "TASK_LOCK_TTL": "3600",
}


class LabelWorld(World):
    """With a server for labels beside the stand-ins. `port` and `token` are kept: Airflow's connection has them."""

    def _kept_ports(self) -> dict[str, int]:
        kept = self.home / "labels.json"
        if not kept.exists():
            write_private(kept, json.dumps({"port": lasting_port(), "token": secrets.token_hex(20)}))
        own = json.loads(kept.read_text())
        self.token = str(own["token"])
        return {**super()._kept_ports(), "labels": int(own["port"])}

    def _connection(self, kind: str) -> dict[str, Any]:
        return {"conn_type": kind, "host": self.url("labels"), "password": self.token}

    def _start_crowd(self, service: str, speed: float, *options: str) -> None:
        from driftwatch_sandbox.labellers.__main__ import TOKEN_VARIABLE

        told = ["--url", self.url("labels"), "--truth", str(self.truth), "--speed", str(speed), *options]
        crowd = [sys.executable, "-m", "driftwatch_sandbox.labellers", service, *told]
        self.processes.start("labellers", crowd, {**self.env, TOKEN_VARIABLE: self.token})


class DeskWorld(LabelWorld):
    """With the desk, and people of the simulated crowd who label on its page."""

    def _connections(self) -> dict[str, dict[str, Any]]:
        return {**super()._connections(), "DRIFTWATCH_DESK_DEFAULT": self._connection("driftwatch_desk")}

    def start_stand_ins(self, crowd_speed: float = 400.0, people: Path | None = None) -> None:
        from driftwatch_servers.desk.commands import TOKEN_VARIABLE
        from driftwatch_servers.desk.database import VARIABLE

        super().start_stand_ins(crowd_speed, people)
        database = f"sqlite:///{self.home}/stand-ins/desk.db"
        env = {**self.env, TOKEN_VARIABLE: self.token, VARIABLE: database}
        serve = ["-m", "driftwatch_servers.desk", "serve", "--port", str(self.ports["labels"])]
        self.processes.start("desk", [sys.executable, *serve], env)
        self.processes.wait_for_http("desk", f"{self.url('labels')}/healthz", lambda answer: answer.is_success)
        tokens = self.home / _TOKENS
        if not tokens.exists():
            write_private(tokens, json.dumps(new_tokens(database, _PEOPLE)))
        self._start_crowd("desk", _DESK_SPEED, "--people", str(tokens))


def new_tokens(database: str, people: int) -> dict[str, str]:
    """A token for each of so many people of the desk with this database, by name. Those that a killed demo made, and nobody kept, are revoked."""
    from driftwatch_servers.desk.database import Database
    from driftwatch_servers.desk.people import Keys
    from driftwatch_servers.desk.tables import PERSON

    keys = Keys(Database(database), PERSON)
    names = [f"person {number}" for number in range(1, people + 1)]
    for name in filter(keys.may_enter, names):
        keys.revoke(name)
    return {name: keys.add(name, 30) for name in names}


class LabelStudioWorld(LabelWorld):
    """With a real Label Studio on Postgres, and people of the simulated crowd who sign up and label in it."""

    def _connections(self) -> dict[str, dict[str, Any]]:
        return {**super()._connections(), "LABEL_STUDIO_DEFAULT": self._connection("label_studio")}

    def start_stand_ins(self, crowd_speed: float = 400.0, people: Path | None = None) -> None:
        if not _LABEL_STUDIO.exists():
            raise ServerFailed("Label Studio is not installed in var/label-studio: run make label-studio-server first")
        super().start_stand_ins(crowd_speed, people)
        folder = self.home / "label-studio"
        folder.mkdir(exist_ok=True)
        self._stack = ExitStack()
        database = urlsplit(self._stack.enter_context(running_postgres()))
        env = {
            "PATH": self.env["PATH"],
            "HOME": str(folder),
            "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
            **_LABEL_STUDIO_SETTINGS,
            "DJANGO_DB": "default",
            "POSTGRE_USER": str(database.username),
            "POSTGRE_PASSWORD": str(database.password),
            "POSTGRE_NAME": database.path.strip("/"),
            "POSTGRE_HOST": str(database.hostname),
            "POSTGRE_PORT": str(database.port),
            "LABEL_STUDIO_USERNAME": "owner@example.org",
            "LABEL_STUDIO_PASSWORD": self.token,
            "LABEL_STUDIO_USER_TOKEN": self.token,
        }
        where = ["--no-browser", "--internal-host", "127.0.0.1", "--port", str(self.ports["labels"])]
        self.processes.start("label-studio", [str(_LABEL_STUDIO), "start", *where], env)
        self.processes.wait_for_http(
            "label-studio", f"{self.url('labels')}/health", lambda answer: answer.is_success, seconds=400
        )
        self._start_crowd("label_studio", crowd_speed, "--count", str(_PEOPLE))

    def stop(self) -> None:
        super().stop()
        if stack := getattr(self, "_stack", None):
            stack.close()


def world_of(home: Path) -> World:
    """The world of a finished run: with its desk, if it had one. A Label Studio ends with its run, and its data with it."""
    return DeskWorld(home) if (home / _TOKENS).exists() else World(home)
