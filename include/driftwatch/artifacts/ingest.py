"""What is stored when a day is taken in: the counts, the index of the model's inputs, the plan of a day that is cut into parts (shards), and
the number of late files."""

from __future__ import annotations

import datetime

from pydantic import Field, model_validator

from driftwatch.artifacts.base import DayArtifact
from driftwatch.artifacts.model_input import OfFeatures, OfPixels


class Ingest(OfPixels, OfFeatures, DayArtifact):
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
    """Objects that `images.ignore` leaves out; absent if Driftwatch did not count them yet."""
    reasons: dict[str, int]
    """How many were quarantined, by the kind of reason."""
    model_version: str
    """The version that the day is judged by, fixed when it is first taken in."""
    late: int = 0
    """Accepted images that came after the day's sample was drawn; absent where there are none."""
    judged: int | None = None
    """By how many of the accepted images, a random sample, the day is judged; absent where by all."""
    without_segment: dict[str, int] = Field(default_factory=dict)
    """How many accepted images are in no segment, by segmentation; absent where all are in one, or there are no segmentations."""
    images_root: str | None = None
    """The folder that holds all of the day's images, where `images.layout` says where they lie: a key, or a whole address. Absent for
    incoming/<day>."""

    @property
    def delivered(self) -> int:
        """How many files the camera or the service has sent: all that are listed, without the ignored ones."""
        return self.listed - self.ignored


class InputsIndex(OfPixels, DayArtifact):
    """The blocks of the day's inputs; written when all of them are, and removed before the day's tables are replaced.

    Version 2 has `blocks`. An older Driftwatch would look for blocks without names, and call them removed.
    """

    VERSION = 2
    file = "inputs/index.json"

    rows: tuple[int, ...]
    """The number of images in each block, in order; a block without an image has no file."""
    blocks: tuple[str, ...] = ()
    """The name of each block, which says which images it holds; empty where it has no file. Absent where blocks have no names, as those that
    Driftwatch wrote before it gave them any."""

    @model_validator(mode="after")
    def _names_all(self) -> InputsIndex:
        if self.blocks and len(self.blocks) != len(self.rows):
            raise ValueError(f"blocks names {len(self.blocks)}, and rows has {len(self.rows)}")
        return self

    def name(self, number: int) -> str:
        """The name of a block; empty where blocks have none."""
        return self.blocks[number] if self.blocks else ""


class ShardPlan(OfPixels, OfFeatures, DayArtifact):
    """What was decided when the day was cut into shards. It is deleted when the day is whole again."""

    file = "shards/plan.json"

    shards: int
    """How many there are."""
    listed: int
    """Objects in the day's folder."""
    model_version: str
    """The version that the day will be judged by."""
    run: str = ""
    """Which cut made it, as its listings say too; absent if an early Driftwatch made it."""


class LateFiles(DayArtifact):
    """Files that came after the day was taken in, as of the last evaluation. If there are none, this artifact is not written."""

    file = "late_files.json"

    files: int
    """How many."""
