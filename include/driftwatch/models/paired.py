"""Two models on the same images: the difference of their accuracies, and how many images are needed to show that it keeps to a limit."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm

from driftwatch.artifacts.retraining import PairedComparison, RolesRight

LEVEL = 0.95
POWER = 0.8
MOST_IMAGES = 100_000
_DRAWS, _SEED = 2000, 11


def compare(label: pd.Series, champion: pd.Series, challenger: pd.Series, level: float = LEVEL) -> PairedComparison:
    """The paired difference of accuracy, challenger less champion, on the same images: the true class and both answers of each.

    An image is won where only the challenger is right, and lost where only the champion is. Each bound is one-sided at `level`, by
    Newcombe's paired method (1998, method 10). The p-value is that of McNemar's exact test: if both models were equally good, an image
    that only one has right would be as likely won as lost.
    """
    old, new = np.asarray(champion == label), np.asarray(challenger == label)
    n, won, lost = len(old), int((new & ~old).sum()), int((old & ~new).sum())
    right = RolesRight(champion=int(old.sum()), challenger=int(new.sum()))
    if n == 0:
        return PairedComparison(n=0, right=right, won=0, lost=0, difference=None, low=None, high=None, p_value=None)
    low, high = bounds(np.array([int((new & old).sum()), won, lost, int((~new & ~old).sum())]), level)
    p_value = binomtest(won, won + lost, 0.5, alternative="greater").pvalue if won + lost else 1.0
    return PairedComparison(
        n=n,
        right=right,
        won=won,
        lost=lost,
        difference=(won - lost) / n,
        low=float(low),
        high=float(high),
        p_value=float(p_value),
    )


def counts_of(found: PairedComparison) -> np.ndarray:
    """The four counts as `bounds` takes them, [4]."""
    both = found.right_of_each.champion - found.lost
    return np.array([both, found.won, found.lost, found.n - both - found.won - found.lost])


def bounds(tables: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Newcombe's bounds of the difference for `tables` [..., 4]: images that both models have right, won, lost, both wrong."""
    both, won, lost, neither = np.moveaxis(tables.astype(float), -1, 0)
    n, z = tables.sum(axis=-1), norm.ppf(level)
    (first, first_low, first_high), (second, second_low, second_high) = (
        _wilson(hits / n, n, z) for hits in (both + won, both + lost)
    )
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    top = both * neither - won * lost
    corrected = np.where(top > 0, np.maximum(top - n / 2, 0), top)  # Newcombe's continuity correction of phi
    phi = np.divide(corrected, np.sqrt(margins), out=np.zeros(margins.shape), where=margins > 0)
    difference = (won - lost) / n
    below = _square_and_add(first - first_low, second_high - second, phi)
    above = _square_and_add(first_high - first, second - second_low, phi)
    return np.maximum(difference - below, -1), np.minimum(difference + above, 1)


def _wilson(share: np.ndarray, n: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return share, middle - reach, middle + reach


def _square_and_add(one: np.ndarray, other: np.ndarray, phi: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(one**2 - 2 * phi * one * other + other**2, 0))


def chance_of(shares: np.ndarray, n: int, max_drop: float, level: float) -> float:
    """How often the lower bound on `n` images is above -`max_drop`. `shares` [4] are the shares of a table of `bounds`."""
    tables = np.random.default_rng(_SEED).multinomial(n, shares, _DRAWS)
    return float((bounds(tables, level)[0] > -max_drop).mean())


def images_needed(counts: np.ndarray, max_drop: float, level: float, least: int | None = None) -> int | None:
    """How many images are needed so that the lower bound is above -`max_drop` with POWER; None if MOST_IMAGES are not enough.

    It supposes that wins and losses are as frequent as in the table `counts` [4] of `bounds`, with half an image added to each count. The
    answer is more than `least`. The default of `least` is the number of images in the table."""
    n = int(counts.sum())
    shares = (counts + 0.5) / (n + 2)
    low = n if least is None else least
    high = max(2 * low, 8)
    while chance_of(shares, high, max_drop, level) < POWER:
        low, high = high, 2 * high
        if low >= MOST_IMAGES:
            return None
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if chance_of(shares, middle, max_drop, level) >= POWER else (middle, high)
    return math.ceil(high)
