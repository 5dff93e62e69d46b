"""Drift of each segment: image quality in the morning, content and predictions once the model has answered.

Each kind has a part of its own false-alarm rate for all of its segments together (`profiling.segments.false_alarm_share`), corrected over
them by Holm. The rest of the rate is the whole day's. So the day's rate is the stated one, however many segments there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from driftwatch.artifacts.segments import SegmentDrift, SegmentFeature
from driftwatch.config.segments import SegmentDriftConfig
from driftwatch.drift.segment_days import EarlierDay, Segment
from driftwatch.models.metrics import holm

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.config import MonitorConfig

Kind = Literal["image_quality", "content", "predictions"]
# With fewer days of data it is the beginning: nothing is new or missing.
FIRST_DAYS = 3


@dataclass(frozen=True)
class Judged:
    """What the test of one segment says. `p_value`: before the correction for many segments, never 0; `of_features`: those of its
    features, adjusted for all of them; `effects`: [features]. `describe`: the features that moved, by their places and what their
    p-values are multiplied by, and examples."""

    p_value: float
    effective_n: int
    usual_images: int
    of_features: np.ndarray
    effects: np.ndarray
    describe: Callable[[np.ndarray, float], tuple[tuple[SegmentFeature, ...], tuple[str, ...]]]


@dataclass(frozen=True)
class Untested:
    """A segment with too few independent images, or too few usual ones."""

    effective_n: int
    usual_images: int


def rates(config: MonitorConfig, rate: float, kind: Kind) -> tuple[float, float]:
    """How `rate`, which is one kind's, is divided: for the day as a whole, and for all segments together."""
    if not segmentations(config, kind):
        return rate, 0.0
    share = config.profiling.segments.false_alarm_share
    return rate * (1 - share), rate * share


def segmentations(config: MonitorConfig, kind: Kind) -> tuple[str, ...]:
    """Those whose segments are known when this kind is judged."""
    return tuple(name for name, of in config.segments.items() if of.known_at_ingest or kind != "image_quality")


def tells_of_coming(config: MonitorConfig, kind: Kind) -> frozenset[str]:
    """The segmentations of which this kind says which segments are new and missing: the first kind that knows them, where it is told."""
    if kind == "content":
        return frozenset()
    return frozenset(
        name
        for name, of in config.segments.items()
        if of.known_at_ingest == (kind == "image_quality") and of.tell_new_and_missing
    )


def _without_table(config: MonitorConfig, found: Iterable[Segment]) -> frozenset[str]:
    """The segmentations whose table may be missing, and of which no image is in a segment: as good as none of their segments is known."""
    told = {segment.by for segment in found}
    may = (name for name, of in config.segments.items() if of.table is not None and of.table.missing == "unknown")
    return frozenset(name for name in may if name not in told)


def judge(
    kind: Kind,
    found: Mapping[Segment, tuple[int, Judged | Untested]],
    earlier: Sequence[EarlierDay],
    config: MonitorConfig,
    today: date,
    silence: Silence,
) -> tuple[SegmentDrift, ...]:
    """The rows of drift.json or content_drift.json, those that drifted first. `found`: each segment of the day, the number of its images
    and its test; `earlier`: the newest day first."""
    tested = {segment: test for segment, (_, test) in found.items() if isinstance(test, Judged)}
    corrected = dict(zip(tested, holm(np.array([test.p_value for test in tested.values()])).tolist(), strict=True))
    rate = rates(config, config.profiling.false_alarm_rate * getattr(config.profiling.false_alarm_shares, kind), kind)[
        1
    ]
    coming = tells_of_coming(config, kind) - _without_table(config, found)
    rows = []
    for segment, (images, test) in found.items():
        seen = Seen(segment, earlier, config.profiling.segments) if segment.by in coming else None
        if isinstance(test, Judged):
            row = silence.of(_tested(kind, segment, images, test, corrected[segment], rate))
            if row.status == "usual" and seen and seen.is_new:
                row = row.model_copy(update={"status": "new"})
        else:
            status = "new" if seen and (seen.is_new or seen.before("new")) else "not_enough_evidence"
            row = _row(kind, segment, images, test).model_copy(update={"status": status})
        rows.append(_since(row, earlier, today))
    gone = missing(found, earlier, config.profiling.segments, coming)
    rows += [_since(silence.of(_missing(kind, segment)), earlier, today) for segment in gone]
    return tuple(sorted(rows, key=_order))


@dataclass(frozen=True)
class Silence:
    """What does not alarm: effects below `min_effect`, `features` that are muted, and `segments` that are, as in camera=door-17."""

    min_effect: float = 0.0
    features: Collection[str] = ()
    segments: Collection[str] = ()

    def of(self, row: SegmentDrift) -> SegmentDrift:
        """The row, which does not alarm where it must not."""
        if row.status == "drifted":
            row = self._without_small(row)
        if row.status in ("drifted", "missing") and f"{row.by}={row.name}" in self.segments:
            return row.model_copy(update={"status": "muted"})
        return row

    def _without_small(self, row: SegmentDrift) -> SegmentDrift:
        large = [
            of
            for of in row.features
            if (row.effect or 0 if row.kind == "predictions" else of.effect) >= self.min_effect
        ]
        left = tuple(of for of in large if of.feature not in self.features)
        if left:
            return row if len(left) == len(row.features) else row.model_copy(update={"features": left})
        return row.model_copy(update={"status": "usual", "silenced": "muted" if large else "small", "examples": ()})


@dataclass(frozen=True)
class Seen:
    """On which earlier days a segment had images; `earlier`: the newest first."""

    segment: Segment
    earlier: Sequence[EarlierDay]
    settings: SegmentDriftConfig

    @property
    def _days(self) -> list[bool]:
        """For each of the last days of data, the newest first."""
        rows = [
            (of.rows.get(self.segment), any(other.by == self.segment.by for other in of.rows)) for of in self.earlier
        ]
        data = [row is not None and row.images > 0 for row, known in rows if known]
        return data[: self.settings.new_days]

    @property
    def is_new(self) -> bool:
        days = self._days
        return len(days) >= FIRST_DAYS and not any(days)

    @property
    def is_usually_there(self) -> bool:
        days = self._days
        return len(days) >= FIRST_DAYS and sum(days) >= self.settings.missing_share * len(days)

    def before(self, status: str) -> bool:
        """Whether the segment had this status on the last day of data."""
        row = self.earlier[0].rows.get(self.segment) if self.earlier else None
        return row is not None and (row.status == status or (status == "missing" and not row.images))


def missing(
    found: Iterable[Segment], earlier: Sequence[EarlierDay], settings: SegmentDriftConfig, coming: Iterable[str]
) -> list[Segment]:
    """The segments without an image that usually have some, and those that were missing on the day before."""
    there, of = set(found), set(coming)
    known = sorted(
        {segment for day in earlier[: settings.new_days] for segment in day.rows if segment.by in of} - there
    )
    seen = [Seen(segment, earlier, settings) for segment in known]
    return [one.segment for one in seen if one.is_usually_there or one.before("missing")]


def _tested(kind: Kind, segment: Segment, images: int, test: Judged, p_value: float, rate: float) -> SegmentDrift:
    row = _row(kind, segment, images, test)
    effect = round(float(test.effects.max(initial=0)), 6)
    if p_value > rate:
        return row.model_copy(update={"status": "usual", "p_value": p_value, "effect": effect})
    times = p_value / test.p_value
    moved = np.flatnonzero(test.of_features * times <= rate)
    order = moved[np.lexsort((-test.effects[moved], test.of_features[moved]))]
    features, examples = test.describe(order, times)
    return row.model_copy(
        update={
            "status": "drifted",
            "p_value": p_value,
            "effect": effect,
            "features": features,
            "examples": examples,
        }
    )


def _row(kind: Kind, segment: Segment, images: int, test: Judged | Untested) -> SegmentDrift:
    row = SegmentDrift(kind=kind, by=segment.by, name=segment.name, images=images, status="usual")
    more = {"effective_n": test.effective_n} if test.effective_n != images else {}
    if test.usual_images:
        more["usual_images"] = test.usual_images
    return row.model_copy(update=more)


def _missing(kind: Kind, segment: Segment) -> SegmentDrift:
    return SegmentDrift(kind=kind, by=segment.by, name=segment.name, images=0, status="missing")


def _since(row: SegmentDrift, earlier: Sequence[EarlierDay], today: date) -> SegmentDrift:
    """The row with the first of the days on end that have its status."""
    if row.status in ("usual", "not_enough_evidence"):
        return row
    before = earlier[0].rows.get(Segment(row.by, row.name)) if earlier else None
    going_on = before is not None and before.status == row.status and before.since is not None
    return row.model_copy(update={"since": before.since if before and going_on else today})


_ORDER = ("drifted", "missing", "new", "muted", "usual", "not_enough_evidence")


def _order(row: SegmentDrift) -> tuple[object, ...]:
    p_value = 2.0 if row.p_value is None else row.p_value
    return _ORDER.index(row.status), p_value, -(row.effect or 0.0), row.by, row.name
