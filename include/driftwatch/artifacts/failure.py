"""Where a day failed for good, and why: what its pages, its report and its alert say until it has ended well."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from driftwatch.errors import DamagedArtifact, MissingArtifact
from driftwatch.storage import Storage


class Failure(BaseModel):
    """The task that failed after its retries, the reason in one line, and the run."""

    model_config = ConfigDict(frozen=True)

    task: str
    reason: str
    run_id: str = ""
    schema_version: int = 1

    @property
    def said(self) -> str:
        return f"failed at {self.task}: {self.reason}"


def write_failure(storage: Storage, key: str, failure: Failure) -> None:
    """Keeps the failure, in place of an earlier one of the day."""
    storage.write_json(key, failure.model_dump())


def read_failure(storage: Storage, key: str) -> Failure | None:
    """The failure that was kept, or None for a day that did not fail or has ended well since."""
    try:
        found: Any = storage.read_json(key)
    except MissingArtifact:
        return None
    try:
        return Failure.model_validate(found)
    except ValidationError as error:
        raise DamagedArtifact(f"{storage.url(key)} is no note of a failed day: delete it ({error})") from error
