"""What every JSON artifact has in common: a frozen model, a schema version, and one way to be read and written."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from driftwatch.errors import DamagedArtifact, MissingArtifact
from driftwatch.remedies import broken

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from driftwatch.storage import Storage

A = TypeVar("A", bound="Artifact")
# Makes of the JSON object of one version that of the next. It may change what it is given.
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
log = logging.getLogger(__name__)


class NewerArtifact(DamagedArtifact):
    """A later Driftwatch wrote the artifact, in a form that this one does not know. Code that can go on without a damaged artifact can also go on
    without this one."""


class Part(BaseModel):
    """A part of an artifact.

    A field that is never set is not written, so `None` and "not there" stay different. Unknown fields of a file are kept and written
    again: a plan or a card may be rewritten for years.
    """

    # defer_build: the DAG files import these classes, and only tasks use them.
    model_config = ConfigDict(frozen=True, strict=True, defer_build=True, extra="allow", protected_namespaces=())


class Artifact(Part):
    """One JSON file of a day, a model or a retraining.

    A file without `schema_version` was written by Driftwatch 0.1, whose form is version 1.
    """

    VERSION: ClassVar[int] = 1
    UPGRADES: ClassVar[Mapping[int, Upgrade]] = {}
    """For each older version the step to the next one; a version without a step has the same form as the next."""

    @classmethod
    def upgraded(cls, found: dict[str, Any], version: int) -> dict[str, Any]:
        """A file of the older `version`, in today's form. A class whose VERSION is 1 has no older version.

        `found` is the file's JSON object without `schema_version`, as the older version wrote it.
        """
        for step in range(version, cls.VERSION):
            found = cls.UPGRADES[step](found) if step in cls.UPGRADES else found
        return found

    def stored(self) -> dict[str, Any]:
        """The JSON object as it is written."""
        return {**self.model_dump(mode="json", exclude_unset=True), "schema_version": self.VERSION}


class DayArtifact(Artifact):
    """An artifact that each day has one of, under the name `file` in the day's folder."""

    file: ClassVar[str]


def read(storage: Storage, key: str, kind: type[A]) -> A:
    """The artifact at `key`.

    Raises MissingArtifact if there is none, DamagedArtifact, which names the field, if it is not of this kind, and NewerArtifact if a
    later Driftwatch wrote it.
    """
    return from_bytes(storage, key, storage.read_bytes(key), kind)


def find(storage: Storage, key: str, kind: type[A]) -> A | None:
    """The artifact at `key`, or None if there is none. Raises the other errors of `read`."""
    try:
        return read(storage, key, kind)
    except MissingArtifact:
        return None


def find_each(storage: Storage, keys: Sequence[str], kind: type[A]) -> Iterator[tuple[str, A]]:
    """The artifacts at `keys` that exist, each with its key, in order. Many are fetched at the same time. Raises the errors of
    `read`."""
    for fetched in storage.iter_bytes(keys):
        if not isinstance(fetched.error, MissingArtifact):
            yield fetched.key, from_bytes(storage, fetched.key, fetched.data, kind)


def find_sound_each(storage: Storage, keys: Sequence[str], kind: type[A]) -> Iterator[tuple[str, A]]:
    """`find_each` without those that cannot be read, each of which the log names: one day's damaged file stops no other day."""
    for fetched in storage.iter_bytes(keys):
        try:
            yield fetched.key, from_bytes(storage, fetched.key, fetched.data, kind)
        except MissingArtifact:
            continue
        except DamagedArtifact as error:
            log.warning("Left out of what a later day rests on: %s", error)


def from_bytes(storage: Storage, key: str, data: bytes, kind: type[A]) -> A:
    """The artifact that the bytes of `key` hold. Raises the errors of `read`, except MissingArtifact."""
    current = _of_today(data, kind)
    if current is not None:
        return current
    found = storage.parsed(key, "JSON", lambda: json.loads(data))
    if not isinstance(found, Mapping):
        raise broken(storage.url(key), key, f"holds a {type(found).__name__}, not an object")
    rest = dict(found)
    version = rest.pop("schema_version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise broken(storage.url(key), key, f"schema_version: {version!r} is none; allowed are whole numbers from 1")
    if version > kind.VERSION:
        raise NewerArtifact(
            f"{storage.url(key)} has schema_version {version}, and this Driftwatch reads {kind.VERSION} at most: a newer "
            "Driftwatch wrote it. Upgrade this one to the version that runs the monitor's days"
        )
    if version < kind.VERSION:
        rest = kind.upgraded(rest, version)
    try:
        return kind.model_validate_json(json.dumps(rest))
    except ValidationError as error:
        first = error.errors()[0]
        raise broken(storage.url(key), key, f"{_field(rest, first)}: {first['msg']}", migrate=storage.uri) from None


def _of_today(data: bytes, kind: type[A]) -> A | None:
    """The artifact, if the file is sound and has today's form; else None. Then `from_bytes` looks closer and says what is wrong.

    This is the fast way, for a page that reads the artifacts of a year. To parse each file as JSON first takes twice as long.
    """
    try:
        found = kind.model_validate_json(data)
    except ValidationError:
        return None
    version = (found.model_extra or {}).pop("schema_version", 1)
    found.model_fields_set.discard("schema_version")
    return found if type(version) is int and version == kind.VERSION else None


def _field(found: Mapping[str, Any], error: ErrorDetails) -> str:
    """The field that an error is about, as in `sample.3.key`: the file's own names, without those of the models."""
    path: list[str] = []
    here: Any = found
    for part in error["loc"]:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            if error["type"] != "missing" or part != error["loc"][-1]:
                continue  # the name of a model that was tried, or of a step
        path.append(str(part))
    return ".".join(path)


def write(storage: Storage, key: str, artifact: Artifact) -> None:
    """Replaces the artifact at `key` whole."""
    storage.write_json(key, artifact.stored())
