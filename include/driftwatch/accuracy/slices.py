"""Where the model is wrong most often, among slices that nobody named: what is searched, and how a slice is told.

Searched are the segments, the predicted classes and the ranges of the image features, each feature cut into three parts with a third of the labelled
images each, and every pair of two of them. `driftwatch.accuracy.slice_search` holds the chance of a false slice.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftwatch.accuracy.segments import Labelled, plain, together
from driftwatch.accuracy.slice_search import PERMUTATIONS, Answers, Factor, WrongSlice, wrong_slices
from driftwatch.artifacts.parts import Share
from driftwatch.artifacts.segment_accuracy import Slice, SliceProperty

PARTS = 3
MOST_SLICES = 3
# Of more labelled images so many are drawn, the same each time: all of them are dealt anew some hundred times, in memory.
MOST_SEARCHED = 20_000


@dataclass(frozen=True)
class Searching:
    """`alpha`: the chance of any slice where there is none; `least`: the labels that a slice has at least; `confidence`: of the intervals."""

    alpha: float
    least: int
    confidence: float
    permutations: int = PERMUTATIONS


def find_slices(
    days: Sequence[pd.DataFrame], segments: Mapping[str, str], features: Sequence[str], searching: Searching
) -> tuple[Slice, ...]:
    """The slices that are worse than chance explains, the worst first. `days` and `segments`: as for `judge_segments`; `features`: the columns
    of numbers. Of more than MOST_SEARCHED labelled images so many are searched."""
    if not sum(len(day) for day in days):
        return ()
    rows = together(days)
    if len(rows) > MOST_SEARCHED:
        rows = rows.sample(MOST_SEARCHED, random_state=17)
    labelled = Labelled.of(rows)
    ranges = {name: _Range.of(rows[name]) for name in features}
    factors = [_factor_of_segment(by, rows[column]) for by, column in segments.items()]
    factors += [factor.factor for factor in ranges.values() if factor is not None]
    answers = Answers((~labelled.right).astype(float), labelled.weight, labelled.day)
    found = wrong_slices(answers, factors, searching.alpha, searching.least, MOST_SLICES, searching.permutations)
    return tuple(_told(each, labelled, ranges, searching) for each in found)


def _told(found: WrongSlice, labelled: Labelled, ranges: dict[str, _Range | None], searching: Searching) -> Slice:
    accuracy, rest = (labelled.share(part, searching.confidence) for part in (found.members, ~found.members))
    assert accuracy.numbers is not None
    assert rest.numbers is not None
    value, low, high = accuracy.numbers
    n = max(round(accuracy.effective_n or 0), 1)
    highest = chosen_high(round((1 - value) * n), n, found.least_share, searching.confidence)
    return Slice(
        where=tuple(_property(by, name, ranges) for by, name in found.where),
        labels=accuracy.n,
        accuracy=Share(value=value, low=low, high=max(high, min(highest, rest.numbers[0])), n=accuracy.n),
        rest=plain(rest),
        p_value=found.p_value,
        days=len(np.unique(labelled.day)),
        examples=labelled.wrong(found.members),
    )


def chosen_high(wrong: int, n: int, least_share: float, confidence: float) -> float:
    """The upper end of the accuracy of a slice that is told only because at least `least_share` of its `n` labels are `wrong`.

    Of a slice that is chosen for looking bad, the plain interval says too little (the winner's curse). Given that it was told, its wrong answers
    are a truncated binomial (Zöllner and Pritchard, 2007, for genes).
    """
    from scipy.special import logsumexp
    from scipy.stats import binom

    needed = min(math.ceil(least_share * n - 1e-6), wrong)

    def at_least(number: int, rate: float) -> float:
        """The log of its chance: the chances of many labels are smaller than a number can be."""
        return float(logsumexp(binom.logpmf(np.arange(number, n + 1), n, rate)))

    def possible(rate: float) -> bool:
        """Rises with the rate."""
        return at_least(wrong, rate) - at_least(needed, rate) >= math.log((1 - confidence) / 2)

    rates = np.linspace(0.0005, 0.9995, 2000)
    lowest = bisect_left(rates, True, key=possible)
    return float(1 - rates[min(lowest, len(rates) - 1)])


@dataclass(frozen=True)
class _Range:
    """A feature, cut in parts. `ends`: the inner ends, in order."""

    factor: Factor
    ends: tuple[float, ...]

    @classmethod
    def of(cls, values: pd.Series) -> _Range | None:
        """None where the feature is the same everywhere."""
        numbers = values.to_numpy(dtype=float)
        known = numbers[~np.isnan(numbers)]
        if not len(known):
            return None
        ends = np.unique(np.quantile(known, np.arange(1, PARTS) / PARTS))
        ends = ends[ends > known.min()]
        if not len(ends):
            return None
        place = np.where(np.isnan(numbers), -1, np.searchsorted(ends, numbers, side="right"))
        names = tuple(str(part) for part in range(len(ends) + 1))
        return cls(Factor(str(values.name), names, place), tuple(float(end) for end in ends))

    def property(self, by: str, part: str) -> SliceProperty:
        """The range of one part, with the ends that it has."""
        place = int(part)
        ends = {
            "low": self.ends[place - 1] if place else None,
            "high": self.ends[place] if place < len(self.ends) else None,
        }
        return SliceProperty.model_validate({"by": by} | {name: end for name, end in ends.items() if end is not None})


def _factor_of_segment(by: str, segments: pd.Series) -> Factor:
    codes, names = pd.factorize(segments, sort=True)
    return Factor(by, tuple(str(name) for name in names), codes)


def _property(by: str, name: str, ranges: dict[str, _Range | None]) -> SliceProperty:
    of_feature = ranges.get(by)
    return SliceProperty(by=by, name=name) if of_feature is None else of_feature.property(by, name)
