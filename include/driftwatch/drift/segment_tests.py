"""Tests many small samples at once, each against its own usual images, so that all together raise one stated rate of false alarms.

The features' tests are those of a whole day (`driftwatch.drift.two_sample`): the largest score, -log10(p) over features and tests, is the
sample's. With hundreds of samples only chances far below 1 in 10,000 matter, and no number of random splits that could be afforded reaches
them. But far out the chance of a score above s is nearly c * 10^-s: each test's own chance is 10^-s, and c says for how many independent tests
they count together. So random splits of samples of about the same size, pooled, tell c where they are many (one in a hundred), and
from there the chance is extrapolated. c grows a little on the way, since tests are less alike the further out: FAR accounts for it. The
benchmark docs/benchmarks/judgement/segments.md shows how well this holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftwatch.drift.between_days import caps
from driftwatch.drift.dependence import effective_size
from driftwatch.drift.two_sample import scores

SPLITS = 4_000  # for all samples of about one size
FAR = 1.4
_TAIL = 0.01
_SAMPLES = 10  # whose splits are pooled, for each size
_SPLITS_AT_ONCE = 400
# No chance is told as smaller: 0 could not be corrected for the number of segments.
LEAST = 1e-300

Size = tuple[int, int]


@dataclass(frozen=True)
class Sample:
    """`ours` [n, features] and the `usual` images [m, features]. `weights` [n, features]: how much of an independent image each of ours
    is; None where each is a whole one. `days` [m]: the day of each usual image; None where it is not known."""

    ours: np.ndarray
    usual: np.ndarray
    weights: np.ndarray | None = None
    days: np.ndarray | None = None

    @property
    def effective_n(self) -> int:
        return len(self.ours) if self.weights is None else effective_size(self.weights)

    @property
    def size(self) -> Size:
        """Samples of one size share a calibration: within a factor of two in both numbers."""
        return round(np.log2(max(self.effective_n, 1))), round(np.log2(len(self.usual)))

    def scores(self) -> np.ndarray:
        """-log10(p) of each test: [features, tests]; where the usual days differ, no more than as one more of such days."""
        pooled = np.concatenate([self.ours, self.usual])
        ours = (np.arange(len(pooled)) < len(self.ours))[:, None]
        whole = None if self.weights is None else np.concatenate([self.weights, np.ones(self.usual.shape)])
        found = scores(pooled, ours, whole)[:, :, 0]
        return found if self.days is None else np.minimum(found, caps(self.ours, self.usual, self.days))


@dataclass(frozen=True)
class Tested:
    """`scores` [features, tests]. `tests`: c, for how many independent tests they count."""

    scores: np.ndarray
    tests: float

    @property
    def p_value(self) -> float:
        """The chance of so high a score without drift, before the correction for many samples; above 0.1 it is rather too high."""
        return float(self.of_features.min())

    @property
    def of_features(self) -> np.ndarray:
        """That chance for the highest score of each feature, adjusted for all features and tests: [features]."""
        return np.clip(self.tests * 10.0 ** -self.scores.max(axis=1), LEAST, 1.0)


def judge_samples(samples: Sequence[Sample], seed: int) -> list[Tested]:
    """Tests each sample. The same samples in the same order give the same numbers."""
    tests = _calibrated(samples, seed)
    return [Tested(sample.scores(), tests[sample.size]) for sample in samples]


def _calibrated(samples: Sequence[Sample], seed: int) -> dict[Size, float]:
    """c for each size, from random splits of some of its samples and their usual images."""
    by_size: dict[Size, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_size[sample.size].append(sample)
    found = {}
    for size, alike in by_size.items():
        chosen = [alike[place] for place in np.unique(np.linspace(0, len(alike) - 1, _SAMPLES).astype(int))]
        splits = -(-SPLITS // len(chosen))
        null = np.concatenate([_splits(sample, splits, [seed, *size, place]) for place, sample in enumerate(chosen)])
        rank = int(len(null) * _TAIL)
        found[size] = FAR * _TAIL * 10.0 ** float(np.sort(null)[::-1][rank - 1])
    return found


def _splits(sample: Sample, splits: int, seed: Sequence[int]) -> np.ndarray:
    """The largest score of random splits of the pooled images into two of the sample's sizes: [splits]."""
    rng = np.random.default_rng([abs(number) for number in seed])
    pooled, n = np.concatenate([sample.ours, sample.usual]), max(sample.effective_n, 1)
    found = []
    for start in range(0, splits, _SPLITS_AT_ONCE):
        members = np.zeros((len(pooled), min(_SPLITS_AT_ONCE, splits - start)), bool)
        members[:n] = True
        found.append(scores(pooled, rng.permuted(members, axis=0)).max(axis=(0, 1)))
    return np.concatenate(found)
