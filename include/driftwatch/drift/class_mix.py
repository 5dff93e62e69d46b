"""The reference with a day's mix of classes, so that another mix is not taken for other images.

Where cats are photographed more sharply than dogs, a day with more cats is a sharper day, though no camera changed. The shares of the
predicted classes tell that the mix changed. Whether the images of each class changed, only a reference of the same mix can tell. So
images of the classes that the day has fewer of are left out of the reference, until the shares are alike; and the random splits that
calibrate the test keep these shares (a permutation test within strata). Most days need none of this: where the shares differ
no more than chance allows on four days in five, the day is compared with the whole reference and its kept calibrations.
"""

from __future__ import annotations

import numpy as np

from driftwatch.drift.class_shares import compare_shares, whole_counts

PREDICTION = "prediction"
# The mix differs where its p-value is no more than this. So one day in five with the usual mix loses reference images without need.
DIFFERS = 0.2
# Share of the reference that is kept at least: else a class that has become frequent would leave nothing of it.
_LEAST_KEPT = 0.5


def rows_of_the_days_mix(day: np.ndarray, reference: np.ndarray, worth: np.ndarray, seed: int) -> np.ndarray | None:
    """Which rows of the reference have the day's shares of classes; None where the shares hardly differ.

    `day`, `reference`: the predicted class of each image. `worth`: how much of an independent image each of the day's images is.
    A class can be so frequent on the day that equal shares would cost more than half of the reference. Then each class keeps its share
    of one half, as far as it has images, and the frequent class has a larger share on the day than in what is kept.
    """
    names, codes = np.unique(np.concatenate([day, reference]), return_inverse=True)
    ours, theirs = codes[: len(day)], codes[len(day) :]
    counts, known = whole_counts(worth, ours, len(names)), np.bincount(theirs, minlength=len(names))
    common = (counts > 0) & (known > 0)
    if not common.any() or compare_shares(counts, known, DIFFERS, seed).p_value > DIFFERS:
        return None
    shares = counts / counts.sum()
    whole = max(float((known[common] / shares[common]).min()), _LEAST_KEPT * len(reference))
    wanted = np.minimum(known, np.rint(shares * whole)).astype(int)
    rng = np.random.default_rng([seed, len(reference)])
    kept = [rng.permutation(np.flatnonzero(theirs == code))[:count] for code, count in enumerate(wanted)]
    return np.sort(np.concatenate(kept))
