"""Backups as docs/operate/backup.md has them: a dump of Airflow's database, and a copy of the storage while days run."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from driftwatch_sandbox.demo.postgres import postgres_binaries


@dataclass(frozen=True)
class Backup:
    """`database` and `storage`: a file and a folder."""

    database: Path
    storage: Path


def take(database: str, storage: Path, into: Path) -> Backup:
    """The database first: a storage that is newer than the database only has tasks done again."""
    into.mkdir()
    made = Backup(into / "airflow.dump", into / "storage")
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        with sqlite3.connect(str(url.database)) as source, sqlite3.connect(made.database) as target:
            source.backup(target)
    else:
        _postgres("pg_dump", url, "--format=custom", "--file=" + str(made.database))
    # A file that is being written stands beside its place under a name of its own.
    shutil.copytree(storage, made.storage, ignore=shutil.ignore_patterns(".*.tmp"), copy_function=_copy_if_there)
    return made


def _copy_if_there(source: str, target: str) -> None:
    """A lock may be given back before its turn comes; rsync passes over it, too."""
    with suppress(FileNotFoundError):
        shutil.copy2(source, target)


def restored_database(database: str, dump: Path, name: str, home: Path) -> str:
    """The URL of a new database, `name` on the same server or a file in `home`, with what the dump has."""
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        shutil.copyfile(dump, home / "airflow.db")
        return f"sqlite:///{home}/airflow.db?timeout=60"
    _postgres("psql", url, "--command", f"CREATE DATABASE {name}")
    new = url.set(database=name)
    _postgres("pg_restore", new, "--exit-on-error", str(dump))
    return new.render_as_string(hide_password=False)


def _postgres(command: str, url: URL, *options: str) -> None:
    binaries = postgres_binaries()
    assert binaries is not None
    where = ["--dbname=" + url.set(drivername="postgresql").render_as_string(hide_password=False)]
    done = subprocess.run([binaries / command, *where, *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
