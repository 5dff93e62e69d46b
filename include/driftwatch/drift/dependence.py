"""How many independent images a day has: frames of one burst, or of one session, tell less than as many images apart.

The intraclass correlation r of a feature says how alike the images of a cluster are: 0 where no more than any others, 1 where they
are all the same. Each image of a cluster of m gets the weight 1 / (1 + (m - 1) r). With these weights the mean is known best, and the
weights of a cluster add up to the number of independent images that it is worth (Kish, Survey Sampling, 1965, section 5.4; n over
that sum is the design effect).

There are two kinds of clusters. Bursts are near-duplicates, r = 1. Groups are named by the path (a session, a moving camera); their r is
estimated feature by feature, by analysis of variance of the ranks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from driftwatch.images.near_duplicates import near_duplicate_clusters

PHASH, GROUP = "phash", "group"
# A picture without contrast (a covered lens, a dead sensor) has the hash of its noise: likeness says nothing about it.
CONTRAST, LEAST_CONTRAST = "image.Brightness.stddev", 8.0
_MORE_THAN_ONE = 1.5  # clusters


def bursts(table: pd.DataFrame) -> np.ndarray | None:
    """The near-duplicate cluster of each row, by column `phash`; None without hashes.

    A picture without a hash or without contrast is a cluster of its own.
    """
    if PHASH not in table.columns:
        return None
    known = table[PHASH].notna().to_numpy()
    if CONTRAST in table.columns:
        known &= ~(table[CONTRAST].to_numpy() < LEAST_CONTRAST)
    clusters = np.arange(len(table)) + len(table)
    if known.any():
        clusters[known] = near_duplicate_clusters(table.loc[known, PHASH].tolist())
    return np.unique(clusters, return_inverse=True)[1]


def weights_of(table: pd.DataFrame, features: Sequence[str]) -> np.ndarray | None:
    """How much of an independent image each row is for each feature, [n, features]; None where every row is a whole one.

    `table` may have the columns `phash` and `group`.
    """
    found = np.ones((len(table), len(features)))
    burst = bursts(table)
    if burst is not None:
        found /= np.bincount(burst)[burst][:, None]
    if GROUP in table.columns and len(table):
        groups = np.unique(table[GROUP].astype(str).to_numpy(), return_inverse=True)[1]
        alike = np.array([intraclass_correlation(table[name].to_numpy(), groups) for name in features])
        found = np.minimum(found, 1 / (1 + (np.bincount(groups)[groups][:, None] - 1) * alike))
    return None if (found == 1).all() else found


def share_weights(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """How much each image counts in shares of classes, [n], and how many independent images these shares are worth.

    `weights` [n]: how much of an independent image each is. Shares by the weights alone would be wrong where classes differ in how many
    of their images are alike: a class that has three poses would count three, with ten pictures or with thirty. So each image counts
    fully, and the number that the shares are worth accounts for the dependence: the variance of a cluster's sum is the square of
    what it counts, over its weights. A single burst longer than any other, as of a camera that got stuck, counts as two of the next.
    """
    counted = np.ones(len(weights))
    sizes = np.unique(1 / weights)
    longest = weights <= weights.min(initial=1)
    if len(sizes) > 1 and weights[longest].sum() < _MORE_THAN_ONE:
        counted[longest] = min(1.0, 2 * sizes[-2] / sizes[-1])
    return counted, float(counted.sum() ** 2 / max((np.square(counted) / weights).sum(), 1))


def effective_size(weights: np.ndarray) -> int:
    """The number of independent images, in the median over features."""
    return round(float(np.median(weights.sum(axis=0)))) if len(weights) else 0


def intraclass_correlation(values: np.ndarray, groups: np.ndarray) -> float:
    """The share of the ranks' variance that lies between the groups, 0 to 1; 1 for a single group. `groups`: numbers from 0."""
    sizes = np.bincount(groups).astype(float)
    n, k = sizes.sum(), len(sizes)
    if k == 1:
        return 1.0
    if n == k:
        return 0.0
    ranks = rankdata(values)
    means = np.bincount(groups, ranks) / sizes
    between = float(sizes @ np.square(means - ranks.mean())) / (k - 1)
    within = float(np.square(ranks - means[groups]).sum()) / (n - k)
    typical = (n - float(np.square(sizes).sum()) / n) / (k - 1)
    total = between + (typical - 1) * within
    return float(np.clip((between - within) / total, 0, 1)) if total > 0 else 0.0
