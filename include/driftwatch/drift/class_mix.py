"""The reference with a day's mix of classes, so that another mix is not taken for other images.

Where cats are photographed more sharply than dogs, a day with more cats is a sharper day though no camera changed. That the mix
changed is told by the shares of the predicted classes; whether the images of the classes changed takes a reference of the same
mix: images of the classes that the day has fewer of are left out until the shares are alike, and the splits that calibrate the test keep
them (a permutation test within strata). Days whose shares differ no more than four in five do by chance are compared with the
whole reference, by its kept calibrations.
"""

from __future__ import annotations

import numpy as np

from driftwatch.drift.content import compare_shares, whole_counts

PREDICTION = "prediction"
DIFFERS = 0.2  # of days with the usual mix, so many are compared with fewer images than could be
_LEAST_KEPT = 0.5  # of the reference: a class that has become frequent would else leave nothing of it


def rows_of_the_days_mix(day: np.ndarray, reference: np.ndarray, worth: np.ndarray, seed: int) -> np.ndarray | None:
    """Which rows of the reference have the day's shares of classes; None where the shares hardly differ.

    `day`, `reference`: the predicted class of each image; `worth`: of each of the day's, how much of an independent image it is.
    Of a class that would take more than half of the reference away the day keeps more than the reference.
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
