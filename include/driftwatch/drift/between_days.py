"""A segment that differs from day to day by nature, as a camera does by the weather: how far a day lies from the usual days, as days.

The tests of a segment take its usual images as one sample. Where the images of a day are alike, and unlike those of other days, one more
such day seems to have drifted. The usual days themselves tell: if their means lie further apart than their images explain (an analysis of
variance), the new day is one more draw of a day. Its mean is then compared with theirs by Student's t, with as many degrees of freedom as
there are usual days, less one. That score is the most that the feature's test may have. Features whose days do not differ are not touched.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from driftwatch.drift.two_sample import TESTS

LEAST_DAYS, LEAST_IMAGES = 6, 3
# How surely the usual days must differ, in their shift or in a tail. Of features whose days do not, about so many are capped in vain by each.
LEVEL = 0.05
_FAR, _TAIL = 4.0, 0.05  # what lies further away counts as no further
_IQR_OF_NORMAL = 1.349


def caps(ours: np.ndarray, usual: np.ndarray, days: np.ndarray) -> np.ndarray:
    """The largest -log10(p) that each test of each feature may have: [features, tests], infinite where the usual days do not differ.

    `ours` [n, features]; `usual` [m, features] and the day of each, `days` [m]. With fewer than LEAST_DAYS days nothing is known.
    """
    found = np.full((usual.shape[1], len(TESTS)), np.inf)
    _, codes, sizes = np.unique(days, return_inverse=True, return_counts=True)
    told = sizes >= LEAST_IMAGES
    if told.sum() < LEAST_DAYS:
        return found
    kept = told[codes]
    codes = np.unique(codes[kept], return_inverse=True)[1]
    of_ours, of_usual = _views(ours, usual), _views(usual[kept], usual)
    differs, scores = (
        np.array(part)
        for part in zip(*(_of_days(*views, codes) for views in zip(of_ours, of_usual, strict=True)), strict=True)
    )
    shift, low, high = np.where(differs, scores, np.inf)
    # Where the days are shifted, their tails are fuller or emptier, and their distribution functions lie apart.
    of_test = {"shift": shift, "low_tail": np.minimum(shift, low), "high_tail": np.minimum(shift, high)}
    of_test["ks"] = np.minimum(of_test["low_tail"], of_test["high_tail"])
    for name, cap in of_test.items():
        found[:, TESTS.index(name)] = cap
    return found


def _views(values: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each image says of the shift and of both tails: [n, features] each."""
    low, first, middle, third, high = np.quantile(usual, [_TAIL, 0.25, 0.5, 0.75, 1 - _TAIL], axis=0)
    spread = (third - first) / _IQR_OF_NORMAL
    spread = np.where(spread > 0, spread, np.where(usual.std(axis=0) > 0, usual.std(axis=0), 1.0))
    return np.clip((values - middle) / spread, -_FAR, _FAR), (values < low).astype(float), (values > high).astype(float)


def _of_days(ours: np.ndarray, usual: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether the usual days differ, bool [features], and -log10(p) of the new day's mean among theirs: [features]."""
    sizes = np.bincount(codes).astype(float)
    n, count = sizes.sum(), len(sizes)
    means = np.stack([np.bincount(codes, usual[:, place]) for place in range(usual.shape[1])], axis=1) / sizes[:, None]
    middle = usual.mean(axis=0)
    between = sizes @ np.square(means - middle) / (count - 1)
    within = np.square(usual - means[codes]).sum(axis=0) / max(n - count, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(within > 0, between / within, np.where(between > 0, np.inf, 0.0))
    differs = f_distribution.sf(ratio, count - 1, max(n - count, 1)) < LEVEL
    typical = (n - np.square(sizes).sum() / n) / (count - 1)
    of_day = np.maximum((between - within) / typical, 0.0)
    error = np.sqrt(of_day + within / len(ours) + between / n)
    distance = np.abs(ours.mean(axis=0) - middle) / np.where(error > 0, error, 1.0)
    logged = (t_distribution.logsf(distance, count - 1) + np.log(2)) / np.log(10)
    return differs & (error > 0), np.maximum(0.0, -logged)
