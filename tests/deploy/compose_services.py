"""The services of a compose file, started and asked as the file says."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from driftwatch_sandbox.demo.postgres import postgres_binaries

from .containers import Machine, end, inside

AIRFLOW_ENV = {
    "PATH": "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin",
    "VIRTUAL_ENV": "/opt/venv",
    "HOME": "/opt/home",
    "AIRFLOW_HOME": "/opt/airflow",
}
# What the image of Postgres does when its volume is empty, and then each time.
POSTGRES = r"""
export PGDATA=/var/lib/postgresql/data PGHOST=/tmp POSTGRES_USER=postgres
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf '%s' "$POSTGRES_PASSWORD" > /tmp/words
  initdb --username=postgres --pwfile=/tmp/words --auth-host=scram-sha-256 --auth-local=trust --no-sync
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  pg_ctl --wait --options "-c listen_addresses='' -c unix_socket_directories=/tmp" start
  for script in /docker-entrypoint-initdb.d/*; do "$script"; done
  pg_ctl --wait --mode fast stop
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp
"""


class Compose:
    """The services of a compose file, as `docker-compose config` reads it."""

    def __init__(
        self, project: Path, machine: Machine, services: dict[str, dict[str, Any]], image: dict[str, str]
    ) -> None:
        self.project, self.machine, self.services, self.image = project, machine, services, image
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.done: set[str] = set()

    def env(self, name: str) -> dict[str, str]:
        """What the service's image sets, then what the file does."""
        own = {
            key: str(value) for key, value in self.services[name].get("environment", {}).items() if value is not None
        }
        if name == "postgres":
            base = {"PATH": f"{postgres_binaries()}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        elif self.services[name]["image"].startswith("driftwatch"):
            base = self.image
        else:
            base = {"PATH": "/usr/bin:/bin"}
        return {**base, "HOSTNAME": name, **own}

    def command(self, name: str) -> list[str]:
        """What the container runs: the start script of Airflow's image puts `airflow` before what is no program of its own."""
        service = self.services[name]
        if name == "postgres":
            return ["sh", "-euc", POSTGRES]
        words = _words(service.get("command"))
        if "entrypoint" in service:
            return [*_words(service["entrypoint"]), *words]
        if service["image"].startswith("driftwatch") and words[0] not in ("bash", "python", "airflow"):
            return ["airflow", *words]
        return words

    def mounts(self, name: str) -> list[tuple[Path, str, bool]]:
        found = []
        for volume in self.services[name].get("volumes", []):
            source, place, read_only = _volume(volume)
            user = "postgres" if name == "postgres" else "50000:0"
            there = Path(source) if source.startswith("/") else self.machine.volume(source, user)
            found.append((there, place, read_only))
        return found

    def start(self, name: str) -> subprocess.Popen[bytes]:
        workdir = "/opt/airflow" if self.services[name]["image"].startswith("driftwatch") else "/tmp"
        return self.machine.container(
            name, self.command(name), self.env(name), self.services[name]["user"], self.mounts(name), workdir
        )

    def up(self, name: str) -> None:
        """Starts the service after those that it depends on, each as soon as the file's condition is met."""
        if name in self.running or name in self.done:
            return
        for needed, how in self.services[name].get("depends_on", {}).items():
            self.up(needed)
            if how["condition"] == "service_healthy":
                self.wait_until_healthy(needed)
            else:
                assert how["condition"] == "service_completed_successfully"
                assert needed in self.done, f"{name} waits for the end of {needed}, which goes on"
        process = self.start(name)
        if "healthcheck" in self.services[name]:
            self.running[name] = process
            return
        assert process.wait(300) == 0, self.machine.said(name)
        self.done.add(name)

    def check(self, name: str) -> list[str]:
        """The command of the service's health check."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind in ("CMD", "CMD-SHELL")
        words = [_dollars(word) for word in words]
        return ["sh", "-c", *words] if kind == "CMD-SHELL" else words

    def health(self, name: str) -> int:
        """The exit code of the health check in the running container."""
        return inside(self.running[name], self.services[name]["user"], self.check(name), self.env(name), 120)

    def wait_until_healthy(self, name: str, seconds: float = 300) -> None:
        until(lambda: self.alive(name) and self.health(name) == 0, seconds, lambda: self.machine.said(name))

    def alive(self, name: str) -> bool:
        assert self.running[name].poll() is None, f"{name} ended:\n{self.machine.said(name)}"
        return True

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            end(process)


def until(true: Callable[[], bool], seconds: float, said: Callable[[], Any]) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, said()
        time.sleep(0.5)


def _dollars(word: str) -> str:
    """`$$` is compose's way to write `$`; it stays in what `config` prints."""
    return word.replace("$$", "$")


def _words(said: Any) -> list[str]:
    words = shlex.split(said) if isinstance(said, str) else said or []
    return [_dollars(word) for word in words]


def _volume(said: Any) -> tuple[str, str, bool]:
    if isinstance(said, dict):  # as Docker's plug-in prints it
        return said["source"], said["target"], bool(said.get("read_only"))
    source, place, *mode = said.split(":")
    return source, place, mode == ["ro"]
