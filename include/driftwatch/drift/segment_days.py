"""The images of each segment: those of the day, and its own images of usual days, which it is compared with.

Cameras differ by nature. So a segment is not compared with all images that the model was made from, but with itself: its images of the last
days on which it was usual. A day on which it could not be tested counts as usual, unless the whole day had drifted. Where most days had, the
reference is unlike all that the cameras send, and says nothing of a single day: then such a day counts too. Each accepted state adds its own
days, as a sample of their own: a segment is usual if it is like any of its samples.

Of near-duplicates in one segment and day the first stands for all.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from driftwatch.artifacts.base import find_sound_each
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.drift.dependence import bursts
from driftwatch.images.segments import segments_of_day

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from driftwatch.artifacts.segments import SegmentDrift
    from driftwatch.artifacts.store import DayStore
    from driftwatch.config.segments import SegmentDriftConfig

LOOK_BACK = 60  # days with data
DAY = "day"  # of a usual image: the number of its day
_UNUSUAL = ("drifted", "muted")
D = TypeVar("D", DayDrift, ContentDrift)
K = TypeVar("K", bound=Hashable)  # a segment, or one sample of it


class Segment(NamedTuple):
    by: str
    name: str


# The table of a day's images for one kind of drift, with the columns of the test, `image_id` and `phash`; None where it has none.
Tables = Callable[["date"], "pd.DataFrame | None"]


@dataclass(frozen=True)
class EarlierDay:
    """What an earlier day said of its segments. `drifted`: whether the whole day had, while most days had not. `broken`: for content and
    predictions, the segments whose image quality had drifted."""

    date: date
    rows: dict[Segment, SegmentDrift]
    drifted: bool
    broken: frozenset[Segment] = frozenset()

    def usual(self, segment: Segment) -> bool:
        """Whether the segment's images of that day are usual ones."""
        row = self.rows.get(segment)
        if row is None or not row.images or row.status in _UNUSUAL or segment in self.broken:
            return False
        return row.status == "usual" or not self.drifted


def earlier_images(day: DayStore) -> list[EarlierDay]:
    """What the last days' drift.json said of image quality, the newest first. Days without segments are left out."""
    found = [
        EarlierDay(drift.day, _by_segment(drift.segments), drift.whole == "drifted") for drift in _stored(day, DayDrift)
    ]
    return _telling([earlier for earlier in found if earlier.rows])


def earlier_answers(day: DayStore, version: str) -> dict[str, list[EarlierDay]]:
    """The same of content and of predictions, by this kind, from the days that model `version` judged."""
    broken = {
        earlier.date: frozenset(segment for segment, row in earlier.rows.items() if row.status in _UNUSUAL)
        for earlier in earlier_images(day)
    }
    found: dict[str, list[EarlierDay]] = {"content": [], "predictions": []}
    for drift in _stored(day, ContentDrift):
        for kind, test in (("content", drift.content), ("predictions", drift.predictions)):
            rows = _by_segment(row for row in drift.segments if row.kind == kind)
            if rows and drift.reference_version == version:
                drifted = test.verdict == "drifted"
                found[kind].append(EarlierDay(drift.day, rows, drifted, broken.get(drift.day, frozenset())))
    return {kind: _telling(days) for kind, days in found.items()}


def _telling(days: list[EarlierDay]) -> list[EarlierDay]:
    """The days, of which none has drifted where most have."""
    most = 2 * sum(of.drifted for of in days) > len(days)
    return [replace(of, drifted=False) for of in days] if most else days


def _stored(day: DayStore, kind: type[D]) -> list[D]:
    before = [other for other in day.monitor.days() if other < day.date][-LOOK_BACK:]
    keys = [day.monitor.keys.day(other).file(kind.file) for other in before]
    return [drift for _, drift in find_sound_each(day.storage, keys, kind)][::-1]


def _by_segment(rows: Iterable[SegmentDrift]) -> dict[Segment, SegmentDrift]:
    return {Segment(row.by, row.name): row for row in rows}


def divided(day: DayStore, table: pd.DataFrame, by: Collection[str]) -> dict[Segment, np.ndarray]:
    """The rows of `table`, which has a column image_id, that are in each segment of the segmentations `by`, in order."""
    segments = segments_of_day(day, table["image_id"].tolist()).set_index("image_id").reindex(table["image_id"])
    found = {}
    for name in sorted(by):
        known = np.flatnonzero(segments[name].notna().to_numpy())
        names, codes = np.unique(segments[name].to_numpy(object)[known].astype(str), return_inverse=True)
        order = np.argsort(codes, kind="stable")
        parts = np.split(known[order], np.cumsum(np.bincount(codes, minlength=len(names))))[:-1]
        found.update({Segment(name, str(of)): rows for of, rows in zip(names, parts, strict=True)})
    return found


def first_of_bursts(table: pd.DataFrame, rows: Mapping[K, np.ndarray]) -> dict[K, np.ndarray]:
    """The rows of each segment without those that nearly repeat an earlier one of it."""
    burst = bursts(table)
    if burst is None:
        return dict(rows)
    return {segment: of[np.sort(np.unique(burst[of], return_index=True)[1])] for segment, of in rows.items()}


def sampled(rows: np.ndarray, most: int, segment: Segment, seed: Sequence[int]) -> np.ndarray:
    """At most so many of the rows, drawn at random by the seed and the segment's name."""
    if len(rows) <= most:
        return rows
    rng = np.random.default_rng([*seed, zlib.crc32("/".join(segment).encode())])
    return np.sort(rng.permutation(rows)[:most])


def days_of_samples(
    segments: Iterable[Segment],
    earlier: Sequence[EarlierDay],
    usual_days: int,
    states: Sequence[Collection[date]] = (),
) -> dict[Segment, list[list[date]]]:
    """The days whose images make each sample that a segment is compared with: the last usual ones, then those of each accepted state."""
    found = {}
    for segment in segments:
        own = [of.date for of in earlier if of.usual(segment)][:usual_days]
        found[segment] = [days for days in (own, *map(list, states)) if days]
    return found


def usual_samples(
    day: DayStore, samples: Mapping[Segment, list[list[date]]], tables: Tables, settings: SegmentDriftConfig
) -> dict[Segment, list[pd.DataFrame]]:
    """The images of each sample: at most `max_images` of it, as many of each of its days, with a column DAY. One day's table is in memory at a
    time."""
    import pandas as pd

    wanted: dict[date, set[tuple[Segment, int]]] = defaultdict(set)
    for segment, lists in samples.items():
        for days in lists:
            for of in days:
                wanted[of].add((segment, _of_each(days, settings)))
    parts: dict[tuple[date, tuple[Segment, int]], pd.DataFrame] = {}
    for of, asked in sorted(wanted.items()):
        table = tables(of)
        if table is None:
            continue
        seed = (day.config.profiling.seed, of.toordinal())
        rows = divided(day.monitor.day(of), table, {segment.by for segment, _ in asked})
        drawn = {
            (segment, most): sampled(rows[segment], most, segment, seed) for segment, most in asked if segment in rows
        }
        parts.update({(of, which): images for which, images in _cut(table, drawn).items()})

    def sample_of(segment: Segment, days: list[date]) -> list[pd.DataFrame]:
        which = segment, _of_each(days, settings)
        return [parts[of, which].assign(**{DAY: of.toordinal()}) for of in days if (of, which) in parts]

    return {
        segment: [pd.concat(found) for days in lists if (found := sample_of(segment, days))]
        for segment, lists in samples.items()
    }


def _of_each(days: Sequence[date], settings: SegmentDriftConfig) -> int:
    """How many images of each day make a sample of these days."""
    return -(-settings.max_images // len(days))


def _cut(table: pd.DataFrame, rows: Mapping[K, np.ndarray]) -> dict[K, pd.DataFrame]:
    """The images of each of the `rows`, without those that nearly repeat another one of it."""
    if not rows:
        return {}
    all_rows = np.unique(np.concatenate([*rows.values()]))
    part = table.iloc[all_rows].reset_index(drop=True)
    places = {segment: np.searchsorted(all_rows, of) for segment, of in rows.items()}
    return {segment: part.iloc[kept] for segment, kept in first_of_bursts(part, places).items()}
