"""A Postgres server for one test or demo, from the machine's own packages, on a free port of 127.0.0.1. It ends with its data."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from driftwatch_sandbox.demo.processes import Processes, ServerFailed, free_port
from driftwatch_servers.private_files import write_private

USER = "airflow"
# Its data need not survive a power cut.
_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def postgres_binaries() -> Path | None:
    """The folder of the newest `initdb` and `postgres` of this machine; Debian does not have it on the PATH. None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    anywhere = shutil.which("initdb")
    return found[-1].parent if found else Path(anywhere).resolve().parent if anywhere else None


@contextmanager
def running_postgres() -> Iterator[str]:
    """Gives the SQLAlchemy URL of an empty database on a new server. Raises ServerFailed if it does not start."""
    binaries = postgres_binaries()
    if binaries is None:
        raise ServerFailed("Postgres is not on this machine (Debian: apt-get install postgresql)")
    # Postgres refuses to run as root. Another user cannot enter folders that only root may enter.
    as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    password, port = secrets.token_hex(16), free_port()
    home = Path(tempfile.mkdtemp(prefix="driftwatch-postgres-", dir="/tmp"))
    processes = Processes(home / "logs")
    data, words = home / "data", home / "password"
    try:
        write_private(words, password)
        data.mkdir(mode=0o700)
        if as_user:
            for path in (home, data, words):
                shutil.chown(path, "postgres", "postgres")
        initdb = [str(binaries / "initdb"), f"--pgdata={data}", f"--username={USER}", f"--pwfile={words}"]
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        processes.run("initdb", [*as_user, *initdb, "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"], env)
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": home, **_SETTINGS}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        server = processes.start("postgres", [*as_user, str(binaries / "postgres"), "-D", str(data), *options], env)
        processes.wait_for("postgres", lambda: _answers(port, password))
        try:
            yield f"postgresql+psycopg2://{USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # does not wait for clients, as after SIGTERM
            processes.stop()
    finally:
        processes.stop()
        shutil.rmtree(home)


def _answers(port: int, password: str) -> bool:
    import psycopg2

    try:
        psycopg2.connect(host="127.0.0.1", port=port, user=USER, password=password, dbname="postgres").close()
    except psycopg2.OperationalError:
        return False
    return True
