"""Verdicts as checks of the datasets that they are about. What has not enough evidence is no check: it is neither passed nor failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from driftwatch.lineage.datasets import Check

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.artifacts.drift import ContentDrift, DayDrift, DriftTest, FeaturesTest
    from driftwatch.artifacts.parts import Interval
    from driftwatch.artifacts.retraining import GateResult
    from driftwatch.artifacts.segments import SegmentDrift


def of_features(found: DayDrift) -> Iterator[Check]:
    """Of features.parquet: the day, its slow drift, each feature, and each segment that was tested."""
    yield from _of_test("image_quality_drift", found, found.whole)
    if found.trend is not None and found.trend.verdict != "not_enough_evidence":
        yield Check("image_quality_trend", found.trend.verdict == "ok", found.trend.feature)
    for feature in found.features:
        if feature.verdict != "not_enough_evidence":
            p = f"p = {feature.p_value:.3g}" if feature.p_value is not None else None
            yield Check("feature_drift", feature.verdict == "ok", feature.feature, f"p > {found.false_alarm_rate:g}", p)
    yield from _of_segments(found.segments, found.of_images is not None)


def of_answers(found: ContentDrift) -> Iterator[Check]:
    """Of predictions.parquet: what is photographed, the predicted classes, and those of each segment."""
    yield from _of_test("content_drift", found.content, found.content.verdict)
    yield from _of_test("predictions_drift", found.predictions, found.predictions.verdict)
    yield from _of_segments(found.segments, found.is_of_sample)


def of_performance(found: Performance) -> Iterator[Check]:
    """Of predictions.parquet against the labels: the day, and each segment."""
    whole = found.own_verdict or found.verdict
    if whole != "not_enough_evidence":
        yield Check(
            "accuracy", whole == "ok", None, f"floor {found.floor:g}", _interval(found.judged or found.accuracy)
        )
    for segment in found.segments:
        if segment.verdict != "not_enough_evidence":
            about = f"{segment.by}={segment.name}"
            yield Check(f"accuracy of {about}", segment.verdict == "ok", None, None, _interval(segment.accuracy))


def of_gate(found: GateResult) -> Iterator[Check]:
    """Of the evaluation images: whether the challenger may become the champion."""
    if found.decision != "not_enough_evidence":
        yield Check("gate", found.decision == "promote", None, None, " ".join(found.reasons) or None)


def quantiles_of(found: FeaturesTest) -> Mapping[str, Mapping[str, float]]:
    """The day's quantiles of each feature, by level; none of a day that is judged by a sample: they stand beside the count of all its rows."""
    if found.of_images is not None:
        return {}
    levels = [f"{level:g}" for level in found.quantiles]
    return {
        feature.feature: dict(zip(levels, feature.day_quantiles, strict=True))
        for feature in found.features
        if len(feature.day_quantiles) == len(levels)
    }


def _of_test(name: str, found: DriftTest, verdict: str) -> Iterator[Check]:
    if verdict != "not_enough_evidence":
        said = found.said if found.p_value is not None else None
        yield Check(name, verdict == "ok", None, f"p > {found.false_alarm_rate:g}", said)


def _of_segments(segments: Iterable[SegmentDrift], sampled: bool) -> Iterator[Check]:
    for segment in segments:
        if segment.status in ("usual", "drifted", "missing", "muted"):
            p = (
                f"p = {segment.p_value:.3g}, {segment.tested(sampled)} images"
                if segment.p_value is not None
                else segment.status
            )
            name = f"{segment.kind}_drift of {segment.by}={segment.name}"
            yield Check(name, segment.status in ("usual", "muted"), None, None, p)


def _interval(found: Interval) -> str | None:
    numbers = found.numbers
    return None if numbers is None else "{:.4f}, from {:.4f} to {:.4f}".format(*numbers)
