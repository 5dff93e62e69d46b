"""The DAG files and the preload, put where an Airflow finds them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from driftwatch.errors import NeedsAttention

# What was put into the folder of DAG files, so that a later run tells its own files from changed ones.
NOTE = ".driftwatch.json"
PRELOAD = "from driftwatch_airflow.preload import preload\n\npreload()\n"


@dataclass(frozen=True)
class Change:
    """One file to write, or with None to remove. `said`: what becomes of it, in a word or two."""

    path: Path
    content: bytes | None
    said: str


def dag_files() -> dict[str, bytes]:
    """The package's DAG files by name. Raises NeedsAttention where the package was installed without them."""
    found = find_spec("driftwatch_airflow")
    if found is None or found.origin is None:
        raise NeedsAttention(
            "the package driftwatch_airflow is not installed beside this command: install driftwatch whole"
        )
    package = Path(found.origin).parent
    for folder in (package / "dag_files", package.parents[1] / "dags"):  # of a wheel; of a checkout
        files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.py"))}
        if files:
            return files
    raise NeedsAttention(
        f"{package} has no dag_files: install driftwatch from its wheel, or from a checkout with its folder dags/"
    )


def changes(home: Path, folder: Path, preload: bool, force: bool) -> list[Change]:
    """What has to be written so that the Airflow runs this version; empty if it does already. Raises NeedsAttention where a file there was
    changed by somebody, or another copy of the DAG files lies beside the folder."""
    files, before = dag_files(), _deployed(folder)
    _no_second_copy(folder, files)
    found = {path.name: path.read_bytes() for path in folder.glob("*.py")}
    foreign = [name for name in found if _digest(found[name]) != before.get(name) and found[name] != files.get(name)]
    if foreign and not force:
        raise NeedsAttention(
            f"{', '.join(str(folder / name) for name in sorted(foreign))}: not as `driftwatch deploy` wrote it. Move your changes to a DAG "
            "file of your own, outside this folder, or replace them with --force"
        )
    planned = [
        Change(folder / name, content, "replaced" if name in found else "new")
        for name, content in files.items()
        if found.get(name) != content
    ]
    planned += [
        Change(folder / name, None, "removed: this version has it no more") for name in found if name not in files
    ]
    note = json.dumps({"version": version("driftwatch"), "files": {n: _digest(c) for n, c in files.items()}}, indent=1)
    if planned or not (folder / NOTE).exists() or (folder / NOTE).read_text(encoding="utf-8") != note:
        planned.append(Change(folder / NOTE, note.encode(), "what this command wrote"))
    return planned + (_preload(home / "config" / "airflow_local_settings.py") if preload else [])


def _deployed(folder: Path) -> Mapping[str, str]:
    """The digests of the files that the last run wrote, by name."""
    note = folder / NOTE
    if not note.exists():
        return {}
    try:
        files = json.loads(note.read_text(encoding="utf-8"))["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NeedsAttention(
            f"{note} is damaged ({type(error).__name__}): remove it, and run this again with --force"
        ) from error


def _no_second_copy(folder: Path, files: Mapping[str, bytes]) -> None:
    """Two copies would give Airflow two DAGs of each id."""
    beside = [str(folder.parent / name) for name in files if (folder.parent / name).exists()]
    if beside:
        raise NeedsAttention(
            f"{', '.join(beside)}: another copy of the DAG files, and Airflow would find each DAG twice. Remove it; they go into {folder}"
        )


def _preload(settings: Path) -> list[Change]:
    """Two lines that make each task start seconds sooner, behind what Airflow's own settings file may have."""
    if not settings.exists():
        return [Change(settings, PRELOAD.encode(), "new: tasks start seconds sooner")]
    held = settings.read_text(encoding="utf-8")
    if "driftwatch_airflow.preload" in held:
        return []
    return [Change(settings, f"{held.rstrip()}\n\n{PRELOAD}".encode(), "two lines more: tasks start seconds sooner")]


def carry_out(change: Change) -> None:
    """Writes or removes the file, whole."""
    if change.content is None:
        change.path.unlink(missing_ok=True)
        return
    change.path.parent.mkdir(parents=True, exist_ok=True)
    aside = change.path.with_name(f".{change.path.name}.new")
    aside.write_bytes(change.content)
    os.replace(aside, change.path)


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()
