"""The numbers of one artifact each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timezone
from typing import get_args

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import ContentDrift, DayDrift, DriftTest, FeatureDrift
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.parts import AccuracyVerdict
from driftwatch.metrics.names import Sample


def of_ingest(found: Ingest) -> Iterator[Sample]:
    for status in ("listed", "accepted", "duplicate", "quarantined", "ignored"):
        yield Sample("images", getattr(found, status), (status,))
    for reason, count in sorted(found.reasons.items()):
        yield Sample("images_quarantined", count, (reason,))
    yield _when(found.day, "images")


def of_drift(found: DayDrift) -> Iterator[Sample]:
    """Of image quality, and of the segments: each segmentation that was tested has a number, 0 where nothing drifted."""
    yield from _of_test("image_quality", found, _largest(found.features))
    moved = Counter(segment.by for segment in found.segments if segment.status in ("drifted", "missing"))
    for group in sorted({segment.by for segment in found.segments}):
        yield Sample("segments_drifted", moved[group], (group,))
    yield _when(found.day, "drift")


def of_content(found: ContentDrift) -> Iterator[Sample]:
    yield from _of_test("content", found.content, _largest(found.content.features))
    yield from _of_test("predictions", found.predictions, found.predictions.effect)


def of_performance(found: Performance) -> Iterator[Sample]:
    judged = found.judged or found.accuracy
    for bound in ("value", "low", "high"):
        number = getattr(judged, bound)
        if number is not None:
            yield Sample("accuracy", number, (bound,))
    yield Sample("accuracy_floor", found.floor)
    counts = {"sampled": found.sampled, "labelled": found.labels, "tied": found.ties, "unclear": found.unclear}
    for state, count in {**counts, "unanswered": found.unanswered}.items():
        yield Sample("labels", count, (state,))
    for verdict in get_args(AccuracyVerdict):
        yield Sample("verdict", float(found.verdict == verdict), (verdict,))
    yield _when(found.day, "verdict")


def _of_test(kind: str, found: DriftTest, effect: float | None) -> Iterator[Sample]:
    if found.verdict != "not_enough_evidence":
        yield Sample("drifted", float(found.verdict == "drifted"), (kind,))
    if found.p_value is not None:
        yield Sample("drift_p_value", found.p_value, (kind,))
    if effect is not None:
        yield Sample("drift_effect", effect, (kind,))


def _largest(features: Iterable[FeatureDrift]) -> float | None:
    return max((feature.effect for feature in features if feature.effect is not None), default=None)


def _when(day: date, of: str) -> Sample:
    return Sample("day_timestamp_seconds", datetime.combine(day, time.min, timezone.utc).timestamp(), (of,))
