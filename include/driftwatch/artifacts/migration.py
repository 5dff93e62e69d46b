"""Brings the JSON artifacts of a storage root into today's form.

Each kind of artifact says by itself what an older version of it means (`Artifact.UPGRADES`), and a task that meets one reads it. To migrate
is to write down what is read: afterwards each file says its version, and a later Driftwatch may drop what it knows of the oldest ones.

A file is replaced after a copy of it lies in the backup, so a run that was killed is simply started again: what has today's form is passed
over. The backup stays until `drop_backup`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from driftwatch.artifacts.base import Artifact, NewerArtifact, from_bytes
from driftwatch.artifacts.kinds import kind_of
from driftwatch.errors import DamagedArtifact, DriftwatchError, MissingArtifact
from driftwatch.storage import Storage
from driftwatch.storage.formats import json_bytes

# Below each monitor's folder: the artifacts as they were, under their own keys.
_BACKUP = "migration_backup"
# What makes a folder of the root a monitor's.
_OF_A_MONITOR = {"days", "models", "reference", "retraining", "training", "outbox", "forgotten"}
State = Literal["older", "newer", "damaged"]


@dataclass(frozen=True)
class StaleArtifact:
    """An artifact that has not today's form. `version`: its schema version, of one that is older; 0 where it says none. `why`: of one that cannot be read."""

    key: str
    state: State
    version: int = 0
    why: str = ""


@dataclass(frozen=True)
class Backup:
    """How much the backups of a storage hold."""

    files: int
    bytes: int


def monitors_in(storage: Storage) -> list[str]:
    """The folders of the storage root that are a monitor's."""
    return [name for name in storage.folders("") if _OF_A_MONITOR & set(storage.folders(name))]


def findings(storage: Storage) -> Iterator[StaleArtifact]:
    """Every artifact that has not today's form, monitor by monitor and by key. Nothing is changed."""
    for monitor in monitors_in(storage):
        for key, kind, data in _artifacts_of(storage, monitor):
            found = _finding(storage, key, kind, data)
            if found:
                yield found


def migrate(storage: Storage, found: StaleArtifact) -> bool:
    """Replaces an older artifact by its form of today, once its bytes lie in the backup. False where another wrote it meanwhile: it has
    today's form then, or a repeat finds it.

    Raises DriftwatchError for one that is not older.
    """
    kind = kind_of(found.key)
    if kind is None or found.state != "older":
        raise DriftwatchError(f"{storage.url(found.key)} is {found.state}, and only older artifacts are migrated")
    stored = storage.read_stored(found.key)
    if stored is None:
        return False
    whole = from_bytes(storage, found.key, stored.data, kind)
    if _version(stored.data) == kind.VERSION:
        return False
    saved = _backup_key(found.key)
    if not storage.exists(saved):
        storage.write_bytes(saved, stored.data)
    return storage.replace(found.key, json_bytes(whole.stored()), stored) is not None


def backup(storage: Storage) -> Backup:
    """What the backups of all monitors hold."""
    kept = [item for monitor in monitors_in(storage) for item in storage.list(f"{monitor}/{_BACKUP}")]
    return Backup(len(kept), sum(item.size for item in kept))


def drop_backup(storage: Storage) -> Backup:
    """Deletes the backups. Returns what they held. Safe to repeat."""
    held = backup(storage)
    for monitor in monitors_in(storage):
        for item in storage.list(f"{monitor}/{_BACKUP}"):
            storage.delete(item.key)
    return held


def _backup_key(key: str) -> str:
    monitor, _, rest = key.partition("/")
    return f"{monitor}/{_BACKUP}/{rest}"


def _artifacts_of(storage: Storage, monitor: str) -> Iterator[tuple[str, type[Artifact], bytes]]:
    """Key, kind and bytes of each JSON artifact of a monitor. Folders of images are not listed."""
    folders = [name for name in storage.folders(monitor) if name in _OF_A_MONITOR]
    places = [f"{monitor}/{name}" for name in folders if name != "training"] + [f"{monitor}/training/next"]
    keys = [item.key for place in places for item in storage.list(place)]
    keys.append(f"{monitor}/training/pixels.json")
    wanted = {key: kind for key in sorted(keys) if (kind := kind_of(key))}
    for fetched in storage.iter_bytes(list(wanted)):
        if not isinstance(fetched.error, MissingArtifact):
            yield fetched.key, wanted[fetched.key], fetched.data


def _finding(storage: Storage, key: str, kind: type[Artifact], data: bytes) -> StaleArtifact | None:
    try:
        from_bytes(storage, key, data, kind)
    except NewerArtifact as error:
        return StaleArtifact(key, "newer", why=str(error))
    except DamagedArtifact as error:
        return StaleArtifact(key, "damaged", why=str(error))
    version = _version(data)
    return None if version == kind.VERSION else StaleArtifact(key, "older", version)


def _version(data: bytes) -> int:
    """The schema version that the bytes of a sound artifact say; 0 where they say none, as those of Driftwatch 0.1."""
    return int(json.loads(data).get("schema_version", 0))
