"""Shares of a day from a stratified sample: unbiased, as each label counts for the images of its stratum over the labels there.

- Accuracy: the mean over strata, each by its share of the day (Cochran, Sampling Techniques, 1977, chapter 5), sharpened by the scores in
  each stratum (PPI++: Angelopoulos, Duchi and Zrnic, 2023; stratified: Fisch and others, 2024). The day's images are themselves a
  sample of what the model is asked, so the variance has a part for their number in each stratum (double sampling, Cochran, chapter 12). Its
  interval is Wilson's with the effective number of labels (as in Korn and Graubard, 1998), whose variance rests on shares that are drawn
  a little towards the common one: a stratum of three right answers has not shown that it has no wrong one.
- Recall, precision and F1 are ratios of two weighted counts, such as hits and misses. A weighted count is taken for a multiple of a
  Poisson count with the same mean and variance (Bohm and Zech, 2014). Of two Poisson counts with the sum n, one is binomial, which has
  Wilson's interval; its ends are carried through the odds. With equal weights this is Wilson's interval of the plain counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.accuracy import ClassMetrics
from driftwatch.artifacts.parts import Share, WeightedShare
from driftwatch.models.metrics import NO_LABEL, wilson

if TYPE_CHECKING:
    from driftwatch.accuracy.strata import StratumEvidence

# How many labels the common share is worth in each stratum, for the variance alone.
_PRIOR = 3.0
# Fewer labels than this do not tell how scores and agreement go together.
LEAST_LABELS = 20
# Scores explain a part of the agreement by chance; more than this in variance is not believed.
LEAST_VARIANCE = 0.5


def stratified_agreement(strata: Sequence[StratumEvidence], confidence: float, estimator: str) -> WeightedShare:
    """The share of labels that the model agrees with, over the images of all strata that have a label. `effective_n`: as many labels of
    a plain random sample would have an interval as wide."""
    known = [stratum for stratum in strata if stratum.labels]
    n = sum(stratum.labels for stratum in known)
    if not n:
        return WeightedShare(value=None, low=None, high=None, n=0, reason=NO_LABEL, effective_n=0.0)
    mass, labels, right, images = (
        np.array([getattr(stratum, name) for stratum in known], dtype=float)
        for name in ("mass", "labels", "right", "images")
    )
    weight = mass / mass.sum()
    value = float(weight @ (right / labels))
    effective = _effective(weight, labels, right, float(images.sum()))
    if estimator == "prediction_powered" and n >= LEAST_LABELS and 0 < right.sum() < n:
        moved, ratio = _sharpened(known, weight)
        if 0 < value + moved < 1:
            value, effective = value + moved, effective / ratio
    low, high = wilson(value, effective, confidence)
    return WeightedShare(value=value, low=low, high=high, n=n, effective_n=effective)


def _effective(weight: np.ndarray, labels: np.ndarray, right: np.ndarray, images: float) -> float:
    """The labels of a plain sample that would tell the share of right answers as well."""
    common = (weight @ (right / labels) * labels.sum() + 1) / (labels.sum() + 2)
    share = (right + _PRIOR * common) / (labels + _PRIOR)
    within = share * (1 - share)
    between = float(weight @ (share - weight @ share) ** 2)
    return float((weight @ within + between) / (weight**2 @ (within / labels) + between / images))


def _sharpened(known: Sequence[StratumEvidence], weight: np.ndarray) -> tuple[float, float]:
    """By how much the scores of the images that were not sampled move the share, and the variance over that without them; 0 and 1 where they
    do not help. One weight of the scores for all strata: a stratum has too few labels for one of its own."""
    names = ("n", "right", "sum", "squares", "right_sum", "rest_n", "rest_sum", "rest_squares")
    n, right, total, squares, right_sum, rest_n, rest_sum, rest_squares = np.array(
        [[getattr(stratum.scores, name) for name in names] for stratum in known], dtype=float
    ).T
    if (n != [stratum.labels for stratum in known]).any():
        return 0.0, 1.0
    use = (n >= 2) & (rest_n >= 2)
    if not use.any():
        return 0.0, 1.0
    n1, rest = np.maximum(n - 1, 1), np.maximum(rest_n, 1)
    covariance = (right_sum - total * right / n) / n1
    spread = np.maximum((squares - total**2 / n) / n1, 0)
    rest_spread = np.maximum(rest_squares / rest - (rest_sum / rest) ** 2, 0)
    together = weight**2 * use
    scale = float(together @ (spread / n + rest_spread / rest))
    gain = float(together @ (covariance / n))
    own = float(weight**2 @ (right / n * (1 - right / n) / n1))
    if scale <= 0 or gain <= 0 or own <= 0:
        return 0.0, 1.0
    factor = min(gain / scale, 1.5)
    variance = own - 2 * factor * gain + factor**2 * scale
    moved = factor * float((weight * use) @ (rest_sum / rest - total / n))
    return (moved, max(variance / own, LEAST_VARIANCE)) if variance < own else (0.0, 1.0)


@dataclass(frozen=True)
class _Count:
    """A weighted count: its sum over `labels` labels, and its variance over the sum."""

    labels: int
    sum: float
    scale: float


@dataclass(frozen=True)
class WeightedLabels:
    """The labels of a stratified sample, one row for each stratum and pair of label and prediction.

    `n`: labels; `weight`: for how many labels of a plain sample each counts; `finite`: the variance of their weighted count if the
    stratum's images were all of one predicted class, over that count.
    """

    label: np.ndarray
    answer: np.ndarray
    n: np.ndarray
    weight: np.ndarray
    finite: np.ndarray

    @classmethod
    def of(cls, strata: Sequence[StratumEvidence]) -> WeightedLabels:
        known = [stratum for stratum in strata if stratum.labels]
        cells = np.concatenate([np.zeros((0, 3), dtype="int64"), *(stratum.cells for stratum in known)])
        rows = np.array([len(stratum.cells) for stratum in known], dtype="int64")
        labels, mass, images = (
            np.repeat(np.array([getattr(stratum, name) for stratum in known], dtype=float), rows)
            for name in ("labels", "mass", "images")
        )
        pure = np.repeat([len(set(stratum.cells[:, 1])) == 1 for stratum in known], rows).astype(bool)
        weight = mass / labels
        share = (cells[:, 2] + 0.5) / (labels + 1)
        finite = np.where(pure, weight * (1 - share) + mass / images * share, weight)
        return cls(cells[:, 0], cells[:, 1], cells[:, 2].astype(float), weight, finite)

    def of_class(self, place: int, name: str, confidence: float) -> ClassMetrics:
        """Precision, recall and F1 of the class at `place`; `n` and `support` count labels as they are."""
        right, ours, answered = self.label == self.answer, self.label == place, self.answer == place
        misses, others = self._count(ours & ~right, ~right), self._count(answered & ~right, ~right)
        hits, sure_hits = (self._count(ours & right, right, scale) for scale in (self.weight, self.finite))
        no_answer, no_image = f"the model answered {name} for no labelled image", f"no labelled image is {name}"
        apart = self._count((ours | answered) & ~right, ~right)
        found = _ratio(hits, apart, confidence, f"{no_image}, and {no_answer}")
        if found.numbers is not None:
            value, low, high = (2 * number / (1 + number) for number in found.numbers)
            found = Share(value=value, low=low, high=high, n=found.n)
        return ClassMetrics(
            precision=_ratio(hits, others, confidence, no_answer),
            recall=_ratio(sure_hits, misses, confidence, no_image),
            f1=found,
            support=int(self.n[ours].sum()),
        )

    def _count(self, rows: np.ndarray, like: np.ndarray, scale: np.ndarray | None = None) -> _Count:
        """The weighted count of some rows. The scale of misses, and of none, is drawn towards a usual one, as if there were one label more:
        the next miss may weigh more than those that were seen. The usual one is halfway from that of the rows that are `like` them, which are
        where the scores say, to that of all rows: the scores may be wrong about where."""
        if not len(self.n):
            return _Count(0, 0.0, 1.0)
        sums, total = self.n * self.weight, float((self.n * self.weight)[rows].sum())
        variance = float((sums * (self.weight if scale is None else scale))[rows].sum())
        if total and scale is not None:
            return _Count(int(self.n[rows].sum()), total, variance / total)
        everywhere = np.ones(len(like), dtype=bool)
        usual = [like if like.any() else everywhere, everywhere]
        prior = float(np.mean([(sums * self.weight)[part].sum() / sums[part].sum() for part in usual]))
        return _Count(int(self.n[rows].sum()), total, (variance + prior**2) / (total + prior))


def _ratio(ours: _Count, others: _Count, confidence: float, undefined: str) -> Share:
    """`ours` over both together."""
    if not ours.labels + others.labels:
        return Share(value=None, low=None, high=None, n=0, reason=undefined)
    one, other = ours.sum / ours.scale, others.sum / others.scale
    ends = wilson(one / (one + other), one + other, confidence)
    low, high = (end * ours.scale / (end * ours.scale + (1 - end) * others.scale) for end in ends)
    return Share(value=ours.sum / (ours.sum + others.sum), low=low, high=high, n=ours.labels + others.labels)
