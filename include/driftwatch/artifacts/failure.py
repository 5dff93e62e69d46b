"""Where a day failed for good, and why: what its pages, its report and its alert say until it has ended well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts import base

if TYPE_CHECKING:
    from driftwatch.storage import Storage


class Failure(base.DayArtifact):
    """The task that failed after its retries, the reason in one line, and the run."""

    file = "failure.json"

    task: str
    """The task's id."""
    reason: str
    """In one line, without secrets."""
    run_id: str = ""
    """The run of the monitoring DAG."""

    @property
    def said(self) -> str:
        return f"failed at {self.task}: {self.reason}"


def write_failure(storage: Storage, key: str, failure: Failure) -> None:
    """Keeps the failure, in place of an earlier one of the day."""
    base.write(storage, key, failure)


def read_failure(storage: Storage, key: str) -> Failure | None:
    """The failure that was kept, or None for a day that did not fail or has ended well since."""
    return base.find(storage, key, Failure)
