"""The day's profiles by segment, made from its tables when they are published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.publishing import BY_SEGMENT
from driftwatch.config.segments import PREDICTED_CLASS
from driftwatch.publish.upload import Profile

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore
    from driftwatch.drift.whylogs_segments import Profiles


def features_by_segment(day: DayStore) -> list[Profile]:
    """The profile of the day's features by segment; none where no segmentation is published that the manifest has. Those of production's log are not
    known yet when features are published, and predicted classes neither.

    Raises NeedsAttention where there are more segments than `publish.most_segments`.
    """
    from driftwatch.drift.whylogs_segments import refuse_too_many, segmented_features
    from driftwatch.images.judged import judged_features

    config = day.config
    wanted = [
        name for name in config.publish.segments if name in config.segments and config.segments[name].known_at_ingest
    ]
    if not wanted:
        return []
    features = judged_features(day)
    segments = _segments(day, features["image_id"], wanted)
    refuse_too_many(segments, config.publish.most_segments, day.date)
    return _profile(day, "features", segmented_features(features.drop(columns="image_id"), segments, day.date))


def performance_by_segment(day: DayStore) -> list[Profile]:
    """The same of the performance on the labelled images, which a stratified sample has as a plain one would."""
    from driftwatch.accuracy.day_tables import read_tables
    from driftwatch.accuracy.evaluate import scores_to_publish
    from driftwatch.drift.whylogs_segments import refuse_too_many, segmented_performance
    from driftwatch.models.as_trained import as_trained

    wanted = day.config.publish.segments
    if not wanted:
        return []
    tables = read_tables(day)
    classes = as_trained(day.monitor, tables.version).classes
    scored = tables.plain.reset_index(drop=True)
    scored = scored.assign(score=scores_to_publish(scored, classes))
    segments = _segments(day, scored["image_id"], [name for name in wanted if name != PREDICTED_CLASS])
    if PREDICTED_CLASS in wanted:
        segments[PREDICTED_CLASS] = scored["prediction"]
    refuse_too_many(segments, day.config.publish.most_segments, day.date)
    return _profile(day, "performance", segmented_performance(scored, segments, day.date, classes))


def _segments(day: DayStore, image_ids: pd.Series, wanted: list[str]) -> dict[str, pd.Series]:
    """By segmentation, the segment of each image."""
    from driftwatch.images.segments import segments_of_day

    of_image = segments_of_day(day, image_ids.tolist()).set_index("image_id")
    return {name: image_ids.map(of_image[name]) for name in wanted}


def _profile(day: DayStore, of: str, made: Profiles) -> list[Profile]:
    """None where no image is in a segment."""
    kind = next(kind for kind in BY_SEGMENT if kind.startswith(of))
    return [Profile(kind, day.date, made.payload, made.content_hash)] if made.segments else []
