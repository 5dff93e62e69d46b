"""What the overview shows of a month's days (summaries/<month>.json), so that it reads one file for many.

It is derived from the days' own files and never stands against them: a day whose files are others by now is read from them.
"""

from __future__ import annotations

import datetime

from driftwatch.artifacts.accuracy import Estimate, Performance
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.base import Artifact, DayArtifact, Part
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.ingest import Ingest


class DaySummary(Part):
    """One day: its artifacts without what only the charts and its own page show. What no step has written is absent."""

    stamps: dict[str, str]
    """The stamp of each of the day's files that it was made from, by name (`Storage.stamps`)."""
    ingest: Ingest | None = None
    """The counts."""
    drift: DayDrift | None = None
    """Image quality, without its features."""
    performance: Performance | None = None
    """Accuracy and verdict, without classes and matrix."""
    annotation: AnnotationPlan | None = None
    """What labels cost, without images."""
    estimate: Estimate | None = None
    """The estimated accuracy."""
    content_drift: ContentDrift | None = None
    """Content and predictions, without components and shares."""
    episodes: DayEpisodes | None = None
    """The day's episodes."""
    progress: AnnotationProgress | None = None
    """How far labelling was."""


OF_A_SUMMARY: dict[str, type[DayArtifact]] = {
    "ingest": Ingest,
    "drift": DayDrift,
    "performance": Performance,
    "annotation": AnnotationPlan,
    "estimate": Estimate,
    "content_drift": ContentDrift,
    "episodes": DayEpisodes,
    "progress": AnnotationProgress,
}


class MonthSummary(Artifact):
    """The days of one month that can be read and have not failed."""

    forms: dict[str, int]
    """The schema version of each kind of artifact in it, by file name. With others than today's it is of no use, and is made anew."""
    days: dict[datetime.date, DaySummary]
    """By day."""


def forms() -> dict[str, int]:
    """The schema versions of today."""
    return {kind.file: kind.VERSION for kind in OF_A_SUMMARY.values()}
