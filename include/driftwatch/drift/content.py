"""What is photographed, and what the model answers: drift of the embeddings and of the predicted classes.

The reference is what the model says of images that it was not trained on. Embeddings of training images would not do: the model
has fitted them, so that any new image differs from them. They serve for the axes alone: principal components of the training images,
whitened, on which held-out and new images are exchangeable. The components go through the same calibrated test as the
features (driftwatch.drift.reference), together with the distance from the centre and with what the components leave out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

COMPONENTS = 16
DISTANCE, RESIDUAL = "distance", "residual"
_TINY = 1e-6
_ROWS_AT_ONCE = 4096  # a large day's embeddings are a gigabyte as floats
_DRAWS, _TAIL_DRAWS, _CELLS_AT_ONCE = 20_000, 200, 4_000_000


def fit_projection(embeddings: np.ndarray) -> np.ndarray:
    """The whitening of `embeddings` [n, width] onto their first principal components, at most COMPONENTS.

    [1 + components, width + 1]: first the mean, then an axis a row, each followed by its standard deviation (the mean by 0).
    """
    values = embeddings.astype(float)
    mean = values.mean(axis=0)
    _, singular, axes = np.linalg.svd(values - mean, full_matrices=False)
    spread = singular / np.sqrt(max(len(values) - 1, 1))
    kept = min(COMPONENTS, int((spread > _TINY * max(spread.max(initial=0), _TINY)).sum()))
    # An axis has no sign of its own: the largest entry is made positive, so that machines agree.
    signs = np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1))
    return np.column_stack([np.vstack([mean, (axes * signs)[:kept]]), np.append(0.0, spread[:kept])])


def project(embeddings: np.ndarray, projection: np.ndarray) -> pd.DataFrame:
    """Components of `embeddings` [n, width], one row an image: component_01 … in standard deviations of the training images,
    `distance` (log of their root mean square) and `residual` (log of the length that the components leave out)."""
    mean, axes, spread = projection[0, :-1], projection[1:, :-1], projection[1:, -1]
    found = np.empty((len(embeddings), len(axes) + 2))
    for start in range(0, len(embeddings), _ROWS_AT_ONCE):
        centred = embeddings[start : start + _ROWS_AT_ONCE].astype(float) - mean
        along = centred @ axes.T
        left_out = np.sqrt(np.maximum(np.square(centred).sum(axis=1) - np.square(along).sum(axis=1), 0))
        distance = np.sqrt(np.square(along / spread).sum(axis=1) / max(len(axes), 1))
        logs = np.log(np.stack([distance, left_out], axis=1) + _TINY)
        found[start : start + _ROWS_AT_ONCE] = np.concatenate([along / spread, logs], axis=1)
    components = [f"component_{number:02d}" for number in range(1, len(axes) + 1)]
    return pd.DataFrame(found, columns=[*components, DISTANCE, RESIDUAL])


class ShareTest(NamedTuple):
    """`p_value`: the chance of so large a difference without drift; `effect`: total variation distance, 0 to 1."""

    p_value: float
    effect: float


def compare_shares(day: ArrayLike, reference: ArrayLike, false_alarm_rate: float, seed: int) -> ShareTest:
    """Whether two rows of class counts have the same shares: Pearson's statistic, its distribution drawn from all tables with
    these margins (the conditional test of Fisher and of Freeman and Halton, 1951).

    Ties count half (mid-p: Lancaster, 1961): counts are few, and a whole count would make the test keep far less than its rate.
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
    """Weighted class counts as whole numbers with the rounded total, by largest remainders."""
    counts = np.bincount(codes, weights, minlength=classes)
    whole = np.floor(counts + 1e-9).astype(int)
    for place in np.argsort(whole - counts, kind="stable")[: max(0, round(float(counts.sum())) - int(whole.sum()))]:
        whole[place] += 1
    return whole
