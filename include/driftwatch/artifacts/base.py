"""What every JSON artifact has in common: a frozen model, a schema version, and one way to be read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from driftwatch.errors import MissingArtifact, NeedsAttention
from driftwatch.remedies import broken

if TYPE_CHECKING:
    from driftwatch.storage import Storage

A = TypeVar("A", bound="Artifact")


class NewerArtifact(NeedsAttention):
    """A later Driftwatch wrote the artifact, in a form that this one does not know."""


class Part(BaseModel):
    """A part of an artifact. A field that is never set is not written, so that `None` and "not there" stay apart."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Artifact(Part):
    """One JSON file of a day, a model or a retraining.

    A file without `schema_version` was written by Driftwatch 0.1, whose form is version 1.
    """

    VERSION: ClassVar[int] = 1

    @classmethod
    def upgraded(cls, found: dict[str, Any], version: int) -> dict[str, Any]:
        """What a file of the older `version` says, in today's form. A class whose VERSION is 1 has no older one."""
        return found

    def stored(self) -> dict[str, Any]:
        """The JSON object as it is written."""
        return {**self.model_dump(mode="json", exclude_unset=True), "schema_version": self.VERSION}


class DayArtifact(Artifact):
    """An artifact that each day has one of, under the name `file` in the day's folder."""

    file: ClassVar[str]


def read(storage: Storage, key: str, kind: type[A]) -> A:
    """The artifact at `key`.

    Raises MissingArtifact where there is none, DamagedArtifact with the field where it is not of this kind, and NewerArtifact
    where a later Driftwatch wrote it.
    """
    return from_bytes(storage, key, storage.read_bytes(key), kind)


def find(storage: Storage, key: str, kind: type[A]) -> A | None:
    """The artifact at `key`, or None where there is none. Raises as `read` does."""
    try:
        return read(storage, key, kind)
    except MissingArtifact:
        return None


def from_bytes(storage: Storage, key: str, data: bytes, kind: type[A]) -> A:
    """The artifact that the bytes of `key` hold. Raises as `read` does."""
    found = storage.parsed(key, "JSON", lambda: json.loads(data))
    if not isinstance(found, Mapping):
        raise broken(storage.url(key), key, f"holds a {type(found).__name__}, not an object")
    version = found.get("schema_version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise broken(storage.url(key), key, f"schema_version: {version!r} is none; allowed are whole numbers from 1")
    if version > kind.VERSION:
        raise NewerArtifact(
            f"{storage.url(key)} has schema_version {version}, and this Driftwatch reads {kind.VERSION} at most: a newer "
            "Driftwatch wrote it. Upgrade this one to the version that runs the monitor's days"
        )
    try:
        return kind.model_validate_json(json.dumps(kind.upgraded(dict(found), version)))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise broken(storage.url(key), key, f"{field}: {first['msg']}") from None


def write(storage: Storage, key: str, artifact: Artifact) -> None:
    """Replaces the artifact at `key` whole."""
    storage.write_json(key, artifact.stored())
