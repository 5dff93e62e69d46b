"""How differently two samples are distributed, feature by feature, for one split of the pooled rows or for thousands at once.

Four statistics look at each feature: the Kolmogorov-Smirnov distance, the largest gap between the two distribution functions (any
change of shape); the rank sum (a common shift); and how much of the batch lies in the lower and in the upper tail of the pooled sample
(a part of it that moved far). Its own null distribution brings each to the scale -log10(p), so that the largest can be compared.
None of these p-values is used as such: random splits calibrate the largest score (driftwatch.drift.reference).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, log_ndtr

TESTS = ("ks", "shift", "low_tail", "high_tail")
TAIL_SHARE = 0.05
_CHUNK = 64  # splits at once: what fits a core's cache with a thousand rows
_LN10 = np.log(10.0)
_IQR_OF_NORMAL = 1.349  # the interquartile range, from 25 % to 75 %, of a standard normal distribution


def scores(values: np.ndarray, members: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """-log10(p) of each test for each split: [features, tests, splits].

    `values` [rows, features]: batch and reference together. `members`, bool [rows, splits]: which rows are the batch, the same number
    in each split. `weights` [rows, features], for one split: how much of an independent image each row is (see
    driftwatch.drift.dependence); None means 1 each. Ties count as ties: distances are taken between distinct values only, and a
    tail holds whole ties.
    """
    splits = members.shape[1]
    result = np.zeros((values.shape[1], len(TESTS), splits))
    for feature in range(values.shape[1]):  # one after the other: a plan is as large as some columns of a large day
        worth = np.ones(len(values)) if weights is None else weights[:, feature]
        plan = _Ranked(values[:, feature], members[:, 0], worth)
        for start in range(0, splits, _CHUNK):
            part = members[:, start : start + _CHUNK].astype(np.float32)
            if weights is not None:
                part *= worth[:, None].astype(np.float32)
            result[feature, :, start : start + _CHUNK] = plan.scores(part)
    return result


class _Ranked:
    """What one feature's tests need of the pooled values, computed once for all splits into a batch and the rest.

    `total` and `n` are the weights of all rows and of the batch; a rank is a place among the weights.
    """

    def __init__(self, values: np.ndarray, batch: np.ndarray, weights: np.ndarray) -> None:
        self.order = np.argsort(values, kind="stable")
        ordered = values[self.order]
        upto = np.cumsum(weights[self.order])
        total, n = float(upto[-1]), float(weights[batch].sum())
        # Rows after which a new value begins: the only places where two distribution functions can be compared.
        self.ends = np.flatnonzero(ordered[1:] > ordered[:-1])
        edges = upto[self.ends]
        self.expected = (edges * n / total).astype(np.float32)[:, None]
        effective = n * (total - n) / total
        root = np.sqrt(effective)
        # Stephens (1970): makes the asymptotic distribution good from small samples on.
        self.ks_scale = (root + 0.12 + 0.11 / root) / effective
        lower, upper = np.append(0.0, edges), np.append(edges, total)
        ranks = np.empty(len(values))
        ranks[self.order] = np.repeat((lower + upper + 1) / 2, np.diff(self.ends, prepend=-1, append=len(values) - 1))
        centred = ranks - (total + 1) / 2
        spread = np.sqrt(n * (total - n) / (total * (total - 1)) * (weights * centred) @ centred) or 1.0
        allowed = int(total * TAIL_SHARE)
        low = float(edges[edges <= allowed].max(initial=0))
        high = float((total - edges)[total - edges <= allowed].max(initial=0))
        both = [centred / spread, _depths(total + 1 - ranks, total, low), _depths(ranks, total, high)]
        self.weights = np.stack(both).astype(np.float32)
        self.tail_scores = [_tail_scores(round(total), round(tail), round(n)) for tail in (low, high)]

    def scores(self, members: np.ndarray) -> np.ndarray:
        if not len(self.ends):  # a constant
            return np.zeros((len(TESTS), members.shape[1]))
        counts = members[self.order]
        np.cumsum(counts, axis=0, out=counts)
        gaps = (counts[:-1] if len(self.ends) == len(counts) - 1 else counts[self.ends]) - self.expected
        distance = np.maximum(gaps.max(axis=0), -gaps.min(axis=0)).astype(float)
        z, *tails = (self.weights @ members).astype(float)
        return np.stack(
            [
                _kolmogorov_scores(distance * self.ks_scale),
                np.maximum(0.0, -(log_ndtr(-np.abs(z)) + np.log(2)) / _LN10),
                *(np.interp(tail, np.arange(len(of)), of) for tail, of in zip(tails, self.tail_scores, strict=True)),
            ]
        )


def _depths(ranks: np.ndarray, rows: float, tail: float) -> np.ndarray:
    """How much each row counts in the upper tail: 0 outside it, from 0.5 at its edge to 1.5 for the outermost, 1 on average.

    If each row counted 1, only a few counts would be possible, and the p-value would jump from one to the next. The jumps on a
    day are not as high as those in the reference's splits, which would cause false alarms. Weighted by depth, there are no jumps.
    """
    return np.where(ranks > rows - tail, 0.5 + (ranks - (rows - tail) - 0.5) / max(tail, 1), 0.0)


def _kolmogorov_scores(x: np.ndarray) -> np.ndarray:
    """-log10 of Kolmogorov's survival function, by the first terms of its series; 0 where p, to four digits, is 1."""
    squared = np.square(np.maximum(x, 0.4))
    series = 1 - np.exp(-6 * squared) + np.exp(-16 * squared)
    return np.where(x < 0.4, 0.0, np.maximum(0.0, (2 * squared - np.log(2 * series)) / _LN10))


def _tail_scores(rows: int, tail: int, n: int) -> np.ndarray:
    """-log10 of the mid-p that k of the batch's n rows are among the `tail` outermost of `rows`, for k = 0 … min(tail, n).

    Mid-p: the chance of more than k, and half the chance of k. Without drift k has a hypergeometric distribution.
    """
    if not tail:
        return np.zeros(1)
    counts = np.arange(min(tail, n) + 1)
    possible = n - counts <= rows - tail
    k = counts[possible]

    def log_choose(a: np.ndarray | int, b: np.ndarray | int) -> np.ndarray:
        return gammaln(np.add(a, 1)) - gammaln(np.add(b, 1)) - gammaln(np.subtract(a, b) + 1)

    log_mass = log_choose(tail, k) + log_choose(rows - tail, n - k) - log_choose(rows, n)
    more = np.append(np.logaddexp.accumulate(log_mass[::-1])[::-1][1:], -np.inf)
    mid_p = np.logaddexp(more, log_mass - np.log(2))
    return np.concatenate([np.zeros(int((~possible).sum())), np.maximum(0.0, -mid_p / _LN10)])


def effects(batch: np.ndarray, reference: np.ndarray) -> tuple[float, float, float]:
    """Kolmogorov-Smirnov distance; shift of the median and of the mean in standard deviations of the reference."""
    if not len(batch):
        return (float("nan"),) * 3
    points = np.concatenate([batch, reference])
    ours, theirs = (
        np.searchsorted(np.sort(sample), points, side="right") / len(sample) for sample in (batch, reference)
    )
    low, high = np.quantile(reference, [0.25, 0.75])
    spread = (high - low) / _IQR_OF_NORMAL or float(reference.std()) or 1.0
    median, mean = np.median(batch) - np.median(reference), batch.mean() - reference.mean()
    return float(np.abs(ours - theirs).max()), float(median / spread), float(mean / spread)
