"""Where a day failed for good, and why. Its pages, its report and its alert say so until the day has ended well."""

from __future__ import annotations

from driftwatch.artifacts import base

# What the reason says of a day that was sent before, and is sent anew only as a correction.
REVISED = "run the day again with the parameter `revise`"


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
    def needs_revision(self) -> bool:
        """Whether the day goes on only as a correction: to run it again, or to clear the task, fails alike."""
        return REVISED in self.reason

    @property
    def said(self) -> str:
        return f"failed at {self.task}: {self.reason}"
