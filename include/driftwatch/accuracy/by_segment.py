"""A day's accuracy by segment, and its slices: reads and writes the tables that these rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from driftwatch.accuracy.day_verdict import recent_days
from driftwatch.accuracy.segments import Judging, judge_segments
from driftwatch.accuracy.slices import Searching, find_slices
from driftwatch.config.segments import PREDICTED_CLASS
from driftwatch.images.features import COLUMNS
from driftwatch.images.judged import is_sampled, told_of
from driftwatch.images.segments import COLUMN, images_by_segment, segments_of_day
from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.accuracy.day_tables import DayTables
    from driftwatch.accuracy.history import PastDay, ScoredDay
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.artifacts.parts import Interval
    from driftwatch.artifacts.segment_accuracy import SegmentAccuracy, Slice
    from driftwatch.artifacts.store import DayStore
    from driftwatch.config import MonitorConfig

# Says of segments that are alerts why, when the day's verdict is theirs: `driftwatch.view.segment_accuracy.segment_reasons`.
SegmentsInWords = Callable[["Performance"], Sequence[str]]


def no_words(performance: Performance) -> Sequence[str]:
    """For who reads no reasons."""
    return ()


def with_segments(
    performance: Performance,
    segments: tuple[SegmentAccuracy, ...],
    slices: tuple[Slice, ...],
    config: MonitorConfig,
    in_words: SegmentsInWords,
) -> Performance:
    """With the day's segments and slices, where there are any. With `performance.segments.alerts: alert` an alert of a segment makes the
    day an alert; then `own_verdict` keeps what the day as a whole says."""
    fields = {name: found for name, found in (("segments", segments), ("slices", slices)) if found}
    performance = performance.model_copy(update=fields)
    raised = config.performance.segments.alerts == "alert" and any(each.verdict == "alert" for each in segments)
    if not raised or performance.verdict == "alert":
        return performance
    return performance.model_copy(
        update={
            "own_verdict": performance.verdict,
            "verdict": "alert",
            "severity": "warning",
            "reasons": (*in_words(performance), *performance.reasons),
        }
    )


def by_segment(
    day: DayStore, tables: DayTables, today: ScoredDay, before: Sequence[PastDay], label_error: Interval | None
) -> tuple[tuple[SegmentAccuracy, ...], tuple[Slice, ...]]:
    """The day's segments and slices; none where the monitor has no segments and searches no slices, where the day has no label, and where
    its labels say nothing of other images. Writes labelled.parquet, which later days read; where there are none it
    removes an earlier one.

    Judged together are days of the same model (`performance.pool_days`). `label_error`: the share of labels that are wrong, as the day's
    verdict reckons with it.
    """
    config, settings = day.config, day.config.performance
    slices = settings.segments.slices
    searched = slices == "always" or (slices == "with_segments" and bool(config.segments))
    if not (config.segments or searched) or tables.no_interval or not len(tables.scored):
        day.storage.delete(day.keys.labelled)
        return (), ()
    large = is_sampled(day)
    segments = segments_of_day(day, tables.labelled["image_id"].tolist() if large else None).rename(
        columns={name: f"{COLUMN}{name}" for name in config.segments}
    )
    table = _labelled(day, tables, segments)
    day.storage.write_table(day.keys.labelled, table)
    days = [table, *_earlier(day, today, before)]
    columns = {name: f"{COLUMN}{name}" for name in config.segments} | {PREDICTED_CLASS: "prediction"}
    days = [each.reindex(columns=table.columns) for each in days]
    judged: tuple[SegmentAccuracy, ...] = ()
    if config.segments:
        judging = Judging.of(settings, _may_be_wrong(label_error, config), len(config.classes))
        images = _images_of_large(day, tables, columns) if large else _images(tables, segments, columns)
        judged = judge_segments(days, columns, images, judging)
    searching = Searching(settings.segments.slice_alpha, settings.segments.min_labels, settings.confidence)
    return judged, find_slices(days, columns, COLUMNS, searching) if searched else ()


def _may_be_wrong(label_error: Interval | None, config: MonitorConfig) -> float:
    if config.performance.judge != "corrected" or label_error is None or label_error.high is None:
        return 0.0
    return label_error.high


def _labelled(day: DayStore, tables: DayTables, segments: pd.DataFrame) -> pd.DataFrame:
    """The labelled images that the serving version answered: image_id, label, prediction, weight (1 on average), stratum, the segments and
    the features; in the order of their ids."""
    found = tables.scored[["image_id", "label", "prediction"]].sort_values("image_id", ignore_index=True)
    weight = found["image_id"].map(tables.weights).astype(float) if tables.weights else 1.0
    found = found.assign(weight=weight, stratum="")
    if tables.strata is not None:
        found["weight"] /= found["weight"].mean()
        found["stratum"] = found["image_id"].map(tables.strata).astype(str)
    large, key = is_sampled(day), day.keys.features
    features = told_of(day, key, COLUMNS, found["image_id"].tolist()) if large else day.storage.read_table(key)
    for part in (segments, features):
        found = found.merge(part, on="image_id", how="left", validate="one_to_one")
    return found


def _earlier(day: DayStore, today: ScoredDay, before: Sequence[PastDay]) -> list[pd.DataFrame]:
    """The tables of the days that the same model answered, the newest first; a day that wrote none is left out."""
    same = [past.day for past in reversed(recent_days(today, before, day.config)) if past.same_model(today)]
    keys = [day.monitor.keys.day(date).labelled for date in same]
    return [day.storage.read_table(key) for key in keys if day.storage.exists(key)]


def _images(tables: DayTables, segments: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """How many of the day's images that the serving version answered each segment has, by segmentation."""
    answered = tables.of(tables.serving, tables.predictions)[["image_id", "prediction"]]
    table = answered.merge(segments, on="image_id", how="left")
    return {by: table[column].value_counts().to_dict() for by, column in columns.items()}


def _images_of_large(day: DayStore, tables: DayTables, columns: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """The same of a day that is judged by a sample, counted piece by piece. The images that another version answered count with them, but for the
    predicted classes."""
    import pyarrow.compute as pc

    found: dict[str, Counter[str]] = {by: Counter() for by in columns}
    for (by, name), count in (images_by_segment(day, [by for by in columns if by != PREDICTED_CLASS]) or {}).items():
        found[by][name] += count
    for piece in pieces(day.storage, day.keys.predictions, ["prediction", "model_version"]):
        ours = piece.filter(pc.equal(piece["model_version"], tables.serving))["prediction"]
        found[PREDICTED_CLASS].update({of["values"]: of["counts"] for of in pc.value_counts(ours).to_pylist()})
    return {by: dict(counts) for by, counts in found.items()}
