"""The three kinds of drift by segment: which tables they read, and what they add to drift.json and content_drift.json."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftwatch.artifacts.drift import ContentDrift
from driftwatch.artifacts.segments import SegmentDrift
from driftwatch.drift.against_reference import kind_rate, with_clusters
from driftwatch.drift.class_mix import PREDICTION
from driftwatch.drift.decoding import comparable, decoding_of
from driftwatch.drift.mutes import muted_features, muted_segments
from driftwatch.drift.segment_days import (
    EarlierDay,
    Segment,
    Tables,
    days_of_samples,
    divided,
    earlier_answers,
    earlier_images,
    usual_samples,
)
from driftwatch.drift.segment_features import judge_features
from driftwatch.drift.segment_shares import judge_shares
from driftwatch.drift.segments import Judged, Kind, Silence, Untested, judge, rates, segmentations
from driftwatch.drift.states import usual_states
from driftwatch.errors import MissingArtifact
from driftwatch.images.features import COLUMNS
from driftwatch.images.judged import judged_features, judged_predictions
from driftwatch.images.segments import images_by_segment

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.artifacts.store import DayStore

    Tests = Mapping[Segment, tuple[int, Judged | Untested]]


def segments_of_images(day: DayStore, features: pd.DataFrame, decoding: int | None = None) -> dict[str, Any]:
    """The fields of drift.json that say how the image quality of each segment is; empty where the monitor file names no segments that
    are known in the morning. `features`: the day's, as `with_clusters` gives them; `decoding`: how those of large images were made."""
    if not segmentations(day.config, "image_quality"):
        return {}

    def table_of(other: date) -> pd.DataFrame | None:
        before = day.monitor.day(other)
        found = _found(judged_features, before)
        if found is None or (decoding is not None and not comparable(decoding_of(before), decoding)):
            return None
        return with_clusters(before, found)

    earlier = earlier_images(day)
    rows = divided(day, features, segmentations(day.config, "image_quality"))
    usual = _usual(day, rows, earlier, table_of)
    columns = [name for name in COLUMNS if name in features.columns]
    tests = _of_all_images(day, "image_quality", judge_features(features, rows, usual, columns, day.config))
    found = judge(
        "image_quality", tests, earlier, day.config, day.date, _silence(day, muted_features(day.monitor, day.date))
    )
    _, rate = rates(day.config, kind_rate(day.config.profiling, "image_quality"), "image_quality")
    return {"segments": found, "segments_rate": rate}


def segments_of_answers(
    day: DayStore, version: str, predictions: pd.DataFrame, project: Tables | None
) -> dict[str, Any]:
    """The fields of content_drift.json; empty where the monitor file names no segments. `project`: the components of a day's embeddings,
    one row for each of its predictions; None where content is not judged."""
    if not segmentations(day.config, "predictions"):
        return {}

    def table_of(other: date) -> pd.DataFrame | None:
        before = day.monitor.day(other)
        judged = before.find(ContentDrift) if other < day.date else None
        if other < day.date and (judged is None or judged.reference_version != version):
            return None  # of an accepted state: answers of two models cannot be compared
        answers = _found(judged_predictions, before)
        return None if answers is None else with_clusters(before, answers[["image_id", PREDICTION]])

    def components_of(other: date) -> pd.DataFrame | None:
        answers, components = table_of(other), project(other) if project else None
        if answers is None or components is None or len(answers) != len(components):
            return None
        return pd.concat([answers.reset_index(drop=True), components.reset_index(drop=True)], axis=1)

    table = with_clusters(day, predictions[["image_id", PREDICTION]])
    rows = divided(day, table, segmentations(day.config, "predictions"))
    segments: list[SegmentDrift] = []
    rate_of: dict[str, float] = {}

    def add(kind: Kind, tests: Mapping[Segment, Any]) -> None:
        segments.extend(
            judge(kind, _of_all_images(day, kind, tests), earlier[kind], day.config, day.date, _silence(day))
        )
        rate_of[kind] = rates(day.config, kind_rate(day.config.profiling, kind), kind)[1]

    earlier = earlier_answers(day, version)
    today = components_of(day.date)
    if today is not None:
        names = [name for name in today.columns if name not in table.columns]
        usual = _usual(day, rows, earlier["content"], components_of)
        add("content", judge_features(today, rows, usual, names, day.config))
    usual = _usual(day, rows, earlier["predictions"], table_of)
    add("predictions", judge_shares(table, rows, usual, day.config))
    drifted_first = sorted(segments, key=lambda row: row.status != "drifted")
    return {"segments": tuple(drifted_first), "segments_rates": rate_of}


def _of_all_images(day: DayStore, kind: Kind, tests: Tests) -> Tests:
    """The tests, with how many images each segment has on the whole day. On a large day these are more than were tested, and a small segment may
    have none of them: it is there all the same."""
    images = images_by_segment(day, segmentations(day.config, kind))
    if images is None:
        return tests
    nothing = Untested(0, 0)
    return {
        Segment(*of): (count, tests[Segment(*of)][1] if Segment(*of) in tests else nothing)
        for of, count in images.items()
    }


def _usual(
    day: DayStore, rows: Mapping[Segment, np.ndarray], earlier: Sequence[EarlierDay], tables: Tables
) -> dict[Segment, list[pd.DataFrame]]:
    settings = day.config.profiling.segments
    states = [state.days for state in usual_states(day.monitor, day.date)]
    samples = days_of_samples(rows, earlier, settings.usual_days, states)
    return usual_samples(day, samples, tables, settings)


def _silence(day: DayStore, features: Collection[str] = ()) -> Silence:
    """What does not alarm on the day; `features`: those of the images that are muted."""
    return Silence(day.config.profiling.min_effect, features, muted_segments(day.monitor, day.date))


def _found(read: Callable[[DayStore], pd.DataFrame], day: DayStore) -> pd.DataFrame | None:
    try:
        return read(day)
    except MissingArtifact:
        return None
