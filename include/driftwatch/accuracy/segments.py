"""How right the model is in each segment, and which segments are worse.

The labelled images of a segment are a random sample of it, as those of the day are one of the day. So each segment has its share of right
answers; in a stratified sample its images are weighted, and the interval reckons with the weights (a domain of a stratified sample: Cochran,
Sampling Techniques, 1977, chapter 5A). A segment with few labels is judged together with days before.

Two questions are asked of each segment: is it below the floor (binomial test), and is it worse than the images outside it (Fisher's exact
test)? Asked of hundreds of segments, some would seem so by chance. The level is shared evenly among the segmentations, and inside one of them the
p-values are corrected by Holm (1979), which holds the chance of any false answer whatever the segments have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftwatch.artifacts.parts import AccuracyVerdict, Share, WeightedShare
from driftwatch.artifacts.segment_accuracy import SegmentAccuracy, SegmentFinding
from driftwatch.models.metrics import holm, wilson

if TYPE_CHECKING:
    from driftwatch.config.performance import PerformanceConfig

NO_LABEL = "no image of it has a label"
MOST_EXAMPLES = 6
_FINDINGS: tuple[SegmentFinding, ...] = ("below_floor", "worse_than_rest")
# How many labels the common share is worth in each stratum, for the variance alone.
_PRIOR = 3.0


@dataclass(frozen=True)
class Judging:
    """What segments are judged by. `floor`: the agreement with the labels that a model at the floor has at most, label errors reckoned
    with; `alpha`: the chance of a false finding in all segments together."""

    floor: float
    alpha: float
    least: int
    needed: int
    confidence: float

    @classmethod
    def of(cls, settings: PerformanceConfig, label_error: float, classes: int) -> Judging:
        """`label_error`: the share of labels that may be wrong; 0 where the labels are judged as they are."""
        floor = settings.floor
        seen = floor * (1 - label_error) + (1 - floor) * label_error / max(classes - 1, 1)
        of = settings.segments
        return cls(min(floor, seen), of.alpha, of.min_labels, settings.min_labels, settings.confidence)


@dataclass(frozen=True)
class Labelled:
    """Labelled images, the newest day first, one entry each: `right`, the `weight`, the `day` by its place from 0, and the `group`, which is
    one stratum of one day."""

    image_id: np.ndarray
    right: np.ndarray
    weight: np.ndarray
    day: np.ndarray
    group: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Labelled:
        """`rows`: see `together`."""
        group, _ = pd.factorize(rows["stratum"].fillna("").astype(str) + "/" + rows["day"].astype(str))
        right = (rows["label"] == rows["prediction"]).to_numpy(dtype=bool)
        return cls(rows["image_id"].to_numpy(), right, rows["weight"].to_numpy(float), rows["day"].to_numpy(int), group)

    def share(self, members: np.ndarray, confidence: float) -> WeightedShare:
        """The share of right answers among the `members`, each by its weight, with Wilson's interval.

        `effective_n`: as many labels of a plain sample say as much. The variance is that of a ratio over a part of each stratum; a
        stratum's own share is drawn a little towards the common one: three right answers have not shown that there is no wrong one.
        """
        if not members.any():
            return WeightedShare(value=None, low=None, high=None, n=0, reason=NO_LABEL, effective_n=0.0)
        right, mass, labels = (
            np.bincount(self.group[members], of)
            for of in (self.right[members].astype(float), self.weight[members], np.ones(int(members.sum())))
        )
        there = labels > 0
        right, mass, labels = right[there], mass[there], labels[there]
        weight = mass / mass.sum()
        value = min(float(weight @ (right / labels)), 1.0)
        common = (value * labels.sum() + 1) / (labels.sum() + 2)
        share = (right + _PRIOR * common) / (labels + _PRIOR)
        spread = share * (1 - share) + (share - weight @ share) ** 2
        effective = float((weight @ spread) / (weight**2 @ (spread / labels)))
        low, high = wilson(value, effective, confidence)
        return WeightedShare(value=value, low=low, high=high, n=int(labels.sum()), effective_n=effective)

    def wrong(self, members: np.ndarray) -> tuple[str, ...]:
        """The ids of some of the newest day's `members` that were answered wrongly."""
        return tuple(self.image_id[members & ~self.right & (self.day == 0)][:MOST_EXAMPLES])


def together(days: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The labelled images of some days, the newest day first (image_id, label, prediction, weight, stratum and more), as one table in which
    `day` is the day's place. The order of a day's images does not matter."""
    tables = [day.sort_values("image_id").assign(day=place) for place, day in enumerate(days)]
    return pd.concat(tables, ignore_index=True)


def judge_segments(
    days: Sequence[pd.DataFrame], columns: Mapping[str, str], images: Mapping[str, Mapping[str, int]], judging: Judging
) -> tuple[SegmentAccuracy, ...]:
    """Each segment that has a label, the worst first. `days`: see `together`; `columns`: by segmentation, the column with the segments'
    names; `images`: by segmentation, how many images of the day each segment has."""
    if not days:
        return ()
    rows = together(days)
    labelled = Labelled.of(rows)
    found: list[SegmentAccuracy] = []
    for by, column in columns.items():
        codes, names = pd.factorize(rows[column], sort=True)
        measured = [_Measured.of(str(name), by, labelled, codes == place, judging) for place, name in enumerate(names)]
        adjusted = holm(_p_values(measured, judging)) * len(columns)
        for each, p_values in zip(measured, np.minimum(adjusted, 1.0), strict=True):
            found.append(each.judged(p_values, images[by].get(each.name, 0), judging))
    return tuple(sorted(found, key=lambda each: (each.verdict != "alert", _at_most(each), each.by, each.name)))


def _at_most(segment: SegmentAccuracy) -> float:
    return segment.accuracy.high if segment.accuracy.high is not None else 1.0


@dataclass(frozen=True)
class _Measured:
    """One segment, and the images outside it on the same days."""

    name: str
    by: str
    days: int
    inside: WeightedShare
    outside: WeightedShare
    wrong: tuple[str, ...]

    @classmethod
    def of(cls, name: str, by: str, labelled: Labelled, members: np.ndarray, judging: Judging) -> _Measured:
        """On the newest days, as few as have enough labels of the segment."""
        upto = np.cumsum(np.bincount(labelled.day[members], minlength=labelled.day.max() + 1))
        days = min(int(np.searchsorted(upto, judging.needed)) + 1, len(upto))
        used = labelled.day < days
        inside, outside = (labelled.share(part & used, judging.confidence) for part in (members, ~members))
        return cls(name, by, days, inside, outside, labelled.wrong(members & used))

    def judged(self, p_values: np.ndarray, images: int, judging: Judging) -> SegmentAccuracy:
        """`p_values`: of the two findings, corrected for all segments."""
        found = tuple(name for name, p in zip(_FINDINGS, p_values, strict=True) if p <= judging.alpha)
        enough = self.inside.n >= judging.needed and (self.inside.value or 0.0) >= judging.floor
        verdict: AccuracyVerdict = "alert" if found else "ok" if enough else "not_enough_evidence"
        return SegmentAccuracy(
            by=self.by,
            name=self.name,
            images=int(images),
            labels=self.inside.n,
            days=self.days,
            accuracy=self.inside,
            rest=plain(self.outside),
            verdict=verdict,
            found=found,
            p_value=None if np.isnan(p_values).all() else float(np.nanmin(p_values)),
            examples=self.wrong if found else (),
        )


def plain(share: WeightedShare) -> Share:
    """Without the effective number."""
    return Share(**share.model_dump(exclude_unset=True, exclude={"effective_n"}))


def _p_values(measured: Sequence[_Measured], judging: Judging) -> np.ndarray:
    """Of "below the floor" and of "worse than the images outside", by effective numbers of labels, [segments, 2]; NaN where there are too few
    labels to ask."""
    from scipy.stats import binom, hypergeom  # slow to import

    counts = np.array([_counts(share) for each in measured for share in (each.inside, each.outside)], dtype=int)
    right, n, other, m = counts.reshape(-1, 4).T
    below = binom.cdf(right, n, judging.floor)
    worse = np.where(m > 0, hypergeom.cdf(right, n + m, right + other, n), np.nan)
    asked = np.array([each.inside.n >= judging.least for each in measured], dtype=bool)
    return np.where(asked[:, None], np.stack([below, worse], axis=1), np.nan)


def _counts(share: WeightedShare) -> tuple[int, int]:
    n = max(round(share.effective_n or 0), 1) if share.n else 0
    return round((share.value or 0.0) * n), n
