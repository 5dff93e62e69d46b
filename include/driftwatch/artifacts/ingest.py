"""What taking a day in leaves behind: the counts, the inputs' index, the plan of a day in shards, and what came late."""

from __future__ import annotations

import datetime

from driftwatch.artifacts.base import DayArtifact


class Ingest(DayArtifact):
    """The counts of a day that was taken in: listed = accepted + duplicate + quarantined + ignored."""

    file = "ingest.json"

    day: datetime.date
    """The run's own date, UTC."""
    listed: int
    """Objects in the day's folder."""
    accepted: int
    """Objects that are images of the day."""
    duplicate: int
    """Objects with the same bytes as another one of the day."""
    quarantined: int
    """Objects that were refused; manifest.parquet has the reason for each."""
    ignored: int = 0
    """Objects that `images.ignore` leaves out; absent where no Driftwatch counted them."""
    reasons: dict[str, int]
    """How many were quarantined, by the kind of reason."""
    model_version: str
    """The version that the day is judged by, fixed when it is first taken in."""
    input_size: int
    """Side of the model's input, in pixels."""
    late: int = 0
    """Accepted images that came after the day's sample was drawn; absent where there are none."""

    @property
    def delivered(self) -> int:
        """What the camera or the service has sent: all that is listed but what is ignored."""
        return self.listed - self.ignored


class InputsIndex(DayArtifact):
    """The blocks of the day's inputs; written when all of them are."""

    file = "inputs/index.json"

    input_size: int
    """Side of each image, in pixels."""
    rows: tuple[int, ...]
    """The number of images in each block, in order; a block without an image has no file."""


class ShardPlan(DayArtifact):
    """What was decided when the day was cut into shards; gone once the day is whole."""

    file = "shards/plan.json"

    shards: int
    """How many there are."""
    listed: int
    """Objects in the day's folder."""
    input_size: int
    """Side of the model's input, in pixels."""
    model_version: str
    """The version that the day will be judged by."""


class LateFiles(DayArtifact):
    """Files that came after the day was taken in, as of the last evaluation; there is no file where there are none."""

    file = "late_files.json"

    files: int
    """How many."""
