"""Shares of classes: whether the day's differ from the reference's, and whole counts from weighted ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

_DRAWS, _TAIL_DRAWS, _CELLS_AT_ONCE = 20_000, 200, 4_000_000


class ShareTest(NamedTuple):
    """`p_value`: the chance of so large a difference without drift; `effect`: total variation distance, 0 to 1.

    The total variation distance is half the sum of the absolute differences of all shares: the share of the images that
    would have to change their class.
    """

    p_value: float
    effect: float


def compare_shares(day: ArrayLike, reference: ArrayLike, false_alarm_rate: float, seed: int) -> ShareTest:
    """Whether two rows of class counts have the same shares.

    The statistic is Pearson's. Its distribution is drawn from all tables with the same row and column sums (the conditional test
    of Fisher, and of Freeman and Halton, 1951). Ties count half (mid-p: Lancaster, 1961): few tables are possible, and with
    whole ties the test would raise far fewer alarms than its rate.
    """
    ours, theirs = np.asarray(day, int), np.asarray(reference, int)
    totals, n = ours + theirs, int(ours.sum())
    seen = totals > 0
    expected = totals[seen] * n / totals.sum()

    def statistic(counts: np.ndarray) -> np.ndarray:
        return (np.square(counts - expected) / totals[seen]).sum(axis=-1)

    found = float(statistic(ours[seen]))
    draws = max(_DRAWS, int(_TAIL_DRAWS / false_alarm_rate))
    rng = np.random.default_rng([seed, n])
    above, level, left = 0, 0, draws
    while left:
        size = min(left, max(1, _CELLS_AT_ONCE // int(seen.sum())))
        drawn = statistic(rng.multivariate_hypergeometric(totals[seen], n, size=size, method="marginals"))
        same = np.isclose(drawn, found, rtol=1e-9, atol=1e-12)
        above, level, left = above + int(((drawn > found) & ~same).sum()), level + int(same.sum()), left - size
    effect = float(np.abs(ours / max(n, 1) - theirs / max(int(theirs.sum()), 1)).sum() / 2)
    return ShareTest((above + (level + 1) / 2) / (draws + 1), effect)


def whole_counts(weights: np.ndarray, codes: np.ndarray, classes: int) -> np.ndarray:
    """Weighted class counts as whole numbers, whose sum is the rounded sum of the weights.

    Each count is rounded down. What is missing from the sum goes to the counts that lost most (largest remainders).
    """
    counts = np.bincount(codes, weights, minlength=classes)
    whole = np.floor(counts + 1e-9).astype(int)
    for place in np.argsort(whole - counts, kind="stable")[: max(0, round(float(counts.sum())) - int(whole.sum()))]:
        whole[place] += 1
    return whole
