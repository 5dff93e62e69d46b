"""What was found in the table of the truth about a day, for monitors with `labels.backend: table`."""

from __future__ import annotations

import datetime
from typing import Literal

from driftwatch.artifacts.base import DayArtifact, Part
from driftwatch.artifacts.parts import Share, Time

Covers = Literal["all", "random", "unknown"]


class TableTruth(Part):
    """Where the labels of a day come from that nobody was asked for, and how far they can be believed."""

    covers: Covers
    """`labels.table.covers`: which of the day's images get a label."""
    images: int
    """Accepted images of the day that a label is wanted for."""
    of_images: int | None = None
    """All accepted images of the day, where `images` are a random sample of them; absent where they are all."""
    labelled: int
    """Those of them with a label so far."""
    until: Time
    """Until when labels may come (`labels.wait_days`)."""
    open: bool
    """Whether more labels may come: not all are there, and it is not too late."""
    no_interval: str | None = None
    """Why the labels say nothing of the images that have none; absent where they do."""

    @property
    def share(self) -> float:
        """The share of the day's images that has a label."""
        return self.labelled / self.images if self.images else 0.0


class LabelTable(TableTruth, DayArtifact):
    """label_table.json: how the table and the day's images fit together.

    Two sums hold: rows = labelled + earlier + without_image + refused, and images = labelled + those that have no label yet.
    """

    file = "label_table.json"

    day: datetime.date
    """The run's own date, UTC."""
    source: str
    """The address of the files, or the connection of the database."""
    files: int
    """Files that were read; 0 of a database, and where there is none yet."""
    rows: int
    """Rows in it, the unreadable ones too."""
    earlier: int
    """Rows about an image that has a later label."""
    without_image: int
    """Rows about files that are none of the `images`."""
    refused: int
    """Rows that could not be read or used."""
    strangers: dict[str, int]
    """The rows without an image, by the reason: other_day, no_file, not_judged (an image that the day is not judged by), or what became of the
    file (quarantined, ignored)."""
    reasons: dict[str, int]
    """The refused rows, by the reason."""
    unknown_classes: tuple[str, ...]
    """The first labels that `classes` does not have."""

    def truth(self) -> TableTruth:
        """The part that performance.json has of it."""
        known = {name: getattr(self, name) for name in TableTruth.model_fields if name in self.model_fields_set}
        return TableTruth.model_validate(known)


class Differing(Part):
    """An image on which people and the table differ."""

    image_id: str
    """sha256 of its bytes."""
    table: str
    """Its class in the table."""
    people: str
    """Its class by people."""


class TableCheck(Part):
    """What people who labelled a small random sample say of the table."""

    sampled: int
    """Images that people were asked about."""
    by_people: int
    """Those of them on which people agreed."""
    agreement: Share
    """Of those that have both labels, the share that has one and the same."""
    differing: tuple[Differing, ...]
    """The images with two different labels, by id; the first hundred."""
