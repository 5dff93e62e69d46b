"""What was published where, and the alerts on their way to people."""

from __future__ import annotations

import datetime
import uuid
from typing import Literal

from driftwatch.artifacts.base import Artifact, DayArtifact, Part

# Of `…_by_segment` the payload is a zip of profiles, one for each segment.
ProfileKind = Literal["features", "performance", "reference", "features_by_segment", "performance_by_segment"]
BY_SEGMENT: tuple[ProfileKind, ...] = ("features_by_segment", "performance_by_segment")
UploadState = Literal["pending", "sending", "done", "waiting", "replaced"]
_NAMESPACE = uuid.UUID("0a0f7c52-6a8e-5c5b-9d0e-5f1f3f6a7d21")


class Upload(Part):
    """One upload of a profile to a sink."""

    sink: str
    """local or whylabs."""
    organisation: str
    """The sink's organisation."""
    dataset: str
    """The sink's dataset."""
    day: datetime.date
    """The day of the data; of a reference the monitor's first day."""
    kind: ProfileKind
    """Which profile."""
    reference: str | None
    """The model version, of a reference; else null."""
    content_hash: str
    """Tells one content from another."""
    payload_key: str
    """Where the bytes are kept; their folder is that of the ledger, whatever stands here."""
    revision: int
    """From 1. Before another one is sent, the day is deleted at the sink."""
    attempt: int
    """How many idempotency keys were used for it."""
    state: UploadState
    """pending: nothing sent yet. sending: may have arrived. done: arrived. waiting: for the day to be deleted. replaced: history."""
    upload_id: str | None
    """The sink's id of the reserved slot; null before there is one."""
    resent: bool
    """Whether the day was deleted for it."""

    @property
    def identity(self) -> tuple[str | int | datetime.date | None, ...]:
        """Unique in a ledger. It stays the same through all states."""
        return (self.sink, self.organisation, self.dataset, self.day, self.kind, self.reference, self.revision)

    @property
    def idempotency_key(self) -> str:
        """By this key the sink recognises an upload that is sent again."""
        parts = [*self.identity, self.content_hash, self.attempt]
        return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))

    def describe(self) -> str:
        """Which profile it is, and where it goes; for messages."""
        what = f"reference {self.reference}" if self.kind == "reference" else f"{self.kind} of {self.day}"
        return f"{what} ({self.sink} {self.organisation}/{self.dataset})"


class UploadLedger(DayArtifact):
    """published.json: of a day, or of a model version's reference."""

    file = "published.json"

    uploads: tuple[Upload, ...]
    """In the order in which they were first written."""


class OutboxAlert(Artifact):
    """outbox/<day>/<source>.json, outbox/models/<source>.json or retraining/<key>/outbox/<source>.json: what there is to tell."""

    id: str
    """The same news of the same day has the same id, however often the step runs that found it."""
    monitor: str
    """The monitor's name."""
    day: str
    """The day as YYYY-MM-DD; empty for an alert about a retraining or the models."""
    kind: str
    """The kind by which notifiers choose, as in the monitor file's `notifiers.on`."""
    subject: str
    """One line."""
    message: str
    """The text below it."""


class ToldNote(Artifact):
    """…/told/<alert id>/<recipient>.json: that a recipient was told."""

    to: str
    """The recipient: the notifier's class and a hash of its arguments."""
    subject: str
    """What it was told."""
