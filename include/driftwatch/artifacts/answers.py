"""What was found in production's log of a day, for monitors with `model.predictions: logged`."""

from __future__ import annotations

import datetime

from driftwatch.artifacts.base import DayArtifact, Part


class LogFile(Part):
    """One file of the log."""

    name: str
    """Its address."""
    bytes: int
    """Its size."""
    rows: int
    """Rows in it, the unreadable ones too."""


class AnswerCounts(Part):
    """Two sums that hold: rows = used + earlier + without_image + refused, and images = used + unanswered."""

    files: int
    """Files of the log."""
    rows: int
    """Rows in them."""
    used: int
    """Rows that are the answer of an image."""
    earlier: int
    """Rows about an image that has a later answer."""
    without_image: int
    """Rows about files that are no accepted image of the day."""
    refused: int
    """Rows that could not be read or used."""
    images: int
    """Accepted images of the day."""
    unanswered: int
    """Those of them without an answer."""


class Answers(AnswerCounts, DayArtifact):
    """answers.json: how production's log and the day's images fit together."""

    file = "answers.json"

    day: datetime.date
    """The run's own date, UTC."""
    log: tuple[LogFile, ...]
    """The files, in the order in which they were read."""
    strangers: dict[str, int]
    """The rows without an image, by the reason: no_file, or what became of the file (quarantined, ignored)."""
    reasons: dict[str, int]
    """The refused rows, by the reason."""
    unknown_classes: tuple[str, ...]
    """The first class names that `classes` does not have."""
    other_case: int
    """Rows whose class has another case than in `classes`."""
    not_the_highest: int
    """Used rows whose class has not the highest score."""
    scores: bool
    """Whether the answers have scores."""
    embeddings: bool
    """Whether they have embeddings."""
    versions: dict[str, int]
    """Used rows by model version."""
    before: AnswerCounts | None = None
    """The counts that an earlier run of the day found; absent where it found the same."""
