"""Where a day failed for good, and why. Its pages, its report and its alert say so until the day has ended well."""

from __future__ import annotations

from driftwatch.artifacts import base


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
