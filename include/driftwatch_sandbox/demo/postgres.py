"""A Postgres server for one test or demo, from the machine's own packages, on a free port of 127.0.0.1. It ends with its data."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from driftwatch_sandbox.demo.processes import Processes, ServerFailed, free_port
from driftwatch_servers.private_files import write_private

USER = "airflow"
# Its data need not survive a power cut.
_SETTINGS: dict[str, object] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
}


def postgres_binaries() -> Path | None:
    """The folder of the newest `initdb` and `postgres` of this machine; Debian does not have it on the PATH. None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    anywhere = shutil.which("initdb")
    return found[-1].parent if found else Path(anywhere).resolve().parent if anywhere else None


class PostgresServer:
    """A server on a free port, with its data in `home`. `url`: the SQLAlchemy URL of its database, which is empty at first."""

    def __init__(self, home: Path, binaries: Path) -> None:
        self._processes, self._binaries = Processes(home / "logs"), binaries
        self._home, self._data = home, home / "data"
        self._password, self._port = secrets.token_hex(16), free_port()
        self._env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        self.url = f"postgresql+psycopg2://{USER}:{self._password}@127.0.0.1:{self._port}/postgres"

    def make(self) -> None:
        """Makes its files."""
        words = self._home / "password"
        write_private(words, self._password)
        self._data.mkdir(mode=0o700)
        if _as_user():
            for path in (self._home, self._data, words):
                shutil.chown(path, "postgres", "postgres")
        options = [f"--pgdata={self._data}", f"--username={USER}", f"--pwfile={words}"]
        self._processes.run("initdb", self._command("initdb", [*options, "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]), self._env)  # fmt: skip

    def start(self) -> None:
        """Returns when it answers."""
        where = {"listen_addresses": "127.0.0.1", "port": self._port, "unix_socket_directories": self._home}
        options = [word for name, value in (where | _SETTINGS).items() for word in ("-c", f"{name}={value}")]
        self._server = self._processes.start(
            "postgres", self._command("postgres", ["-D", str(self._data), *options]), self._env
        )
        self._processes.wait_for("postgres", lambda: _answers(self._port, self._password))

    def stop(self) -> None:
        """Ends it, and with it all connections."""
        self._server.send_signal(signal.SIGINT)  # does not wait for clients, as after SIGTERM
        self._processes.stop()

    def end(self) -> None:
        """Ends what still runs."""
        self._processes.stop()

    def _command(self, program: str, arguments: Sequence[str]) -> list[str]:
        return [*_as_user(), str(self._binaries / program), *arguments]


def _as_user() -> list[str]:
    """Postgres refuses to run as root. Another user cannot enter folders that only root may enter."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A new server that runs. Raises ServerFailed if it does not start."""
    binaries = postgres_binaries()
    if binaries is None:
        raise ServerFailed("Postgres is not on this machine (Debian: apt-get install postgresql)")
    home = Path(tempfile.mkdtemp(prefix="driftwatch-postgres-", dir="/tmp"))
    server = PostgresServer(home, binaries)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        server.end()
        shutil.rmtree(home)


@contextmanager
def running_postgres() -> Iterator[str]:
    """Gives the SQLAlchemy URL of an empty database on a new server. Raises ServerFailed if it does not start."""
    with postgres_server() as server:
        yield server.url


def _answers(port: int, password: str) -> bool:
    import psycopg2

    try:
        psycopg2.connect(host="127.0.0.1", port=port, user=USER, password=password, dbname="postgres").close()
    except psycopg2.OperationalError:
        return False
    return True
