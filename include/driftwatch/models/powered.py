"""The paired difference of two models, sharpened by images without a label.

Images on which both models answer alike make no difference. So a label tells something only where the answers differ. Two things are
known of images that nobody labelled, since both models answer them:

- how often the answers differ. So chance does not decide how many of the labelled images are such ones (post-stratification);
- what the challenger's scores let one expect of each image: the chance of its own answer less that of the champion's. By chance the
  labelled images may be easier for one model than all images are. A regression on the expected difference corrects this. It also takes
  away the part of the noise that the scores explain (Angelopoulos et al., "PPI++", 2023; in surveys, the regression estimator).

The scores need not be right. Where they explain nothing, the slope is about 0, and nothing is gained or lost. The standard error is HC3,
with Student's quantiles. One image is added that is half won and half lost, so that some wins without a loss do not look certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from driftwatch.artifacts.retraining import Sharpened

# With fewer labelled images on which the answers differ, the exact tests decide alone. With fewer than the second, there is no slope.
LEAST_DIFFERING, LEAST_FOR_SLOPE = 10, 20
# How far the accuracies of two models of one recipe lie apart by the luck of training: a standard deviation. On real photos, retrainings
# of one recipe spread by .036 over seeds, of which .031 is the luck of 259 test images (docs/benchmarks/retraining): .018 is left.
TRAINING_SPREAD = 0.02


@dataclass(frozen=True)
class Answers:
    """Both models' answers to n images: where they `differ` [n]; the `expected` difference [n], in -1..1, 0 where they answer alike; and how
    much each image counts, `weight` [n]."""

    differ: np.ndarray
    expected: np.ndarray
    weight: np.ndarray

    @property
    def share_differing(self) -> tuple[float, float]:
        """The share of images on which the answers differ, and the variance of that share."""
        weight = self.weight / self.weight.sum()
        share = float(weight @ self.differ)
        return share, float(weight**2 @ (self.differ - share) ** 2)

    @property
    def mean_expected(self) -> tuple[float, float]:
        """The mean of `expected` where the answers differ, and its variance."""
        weight, expected = self.weight[self.differ], self.expected[self.differ]
        weight = weight / weight.sum()
        mean = float(weight @ expected)
        return mean, float(weight**2 @ (expected - mean) ** 2)


def sharpened(
    gained: np.ndarray, labelled: Answers, every: Answers, level: float, of_folds: int = 0
) -> Sharpened | None:
    """The difference of accuracy, challenger less champion, with one-sided bounds at `level`.

    `gained` [n] says of each labelled image whether it is won (1), lost (-1), or neither (0). `every` are images of the same days, the
    labelled ones among them. `of_folds` of the labelled images were answered by models of folds (driftwatch.models.folds). None where too few labelled images have different answers.
    """
    m = int(labelled.differ.sum())
    if m < LEAST_DIFFERING or not every.weight[every.differ].any():
        return None
    middle, middle_variance = every.mean_expected
    x = np.append(labelled.expected[labelled.differ] - middle, [0.0, 0.0])
    y = np.append(gained[labelled.differ], [1.0, -1.0]).astype(float)
    weight = np.append(np.ones(m), [0.5, 0.5])
    with_slope = m >= LEAST_FOR_SLOPE and float(np.ptp(x)) > 1e-9
    mean, slope, variance = _regression(x if with_slope else None, y, weight)
    share, share_variance = every.share_differing
    luck = TRAINING_SPREAD * of_folds / len(gained)
    difference = share * mean
    error = float(np.sqrt(share**2 * (variance + slope**2 * middle_variance) + mean**2 * share_variance + luck**2))
    free = m - 1 - with_slope
    reach = float(stdtrit(free, level)) * error
    return Sharpened(
        images=len(every.differ),
        labelled_differing=m,
        share_differing=share,
        difference=difference,
        low=max(difference - reach, -1.0),
        high=min(difference + reach, 1.0),
        p_value=float(stdtr(free, -difference / error)),
        error=error,
        of_folds=of_folds,
    )


def expected_difference(champion: pd.DataFrame, challenger: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """For each image, the challenger's score of its own answer less its score of the champion's: [n]. It is what the scores let one expect
    of the difference. The champion's own scores are too sure after a change, and say next to nothing where the answers differ.

    The tables are those of `Predictions.table`. 0 where a score or an answer lacks.
    """
    columns = [f"score.{name}" for name in classes]
    scores = np.nan_to_num(challenger.reindex(columns=columns).to_numpy(dtype=float))
    first, second = (pd.Index(classes).get_indexer(table["prediction"]) for table in (champion, challenger))
    rows = np.arange(len(scores))
    return np.where((first < 0) | (second < 0), 0.0, scores[rows, second] - scores[rows, first])


def _regression(x: np.ndarray | None, y: np.ndarray, weight: np.ndarray) -> tuple[float, float, float]:
    """The weighted regression of `y` on `x`: its value at 0, its slope, and the HC3 variance of the first."""
    design = np.ones((len(y), 1)) if x is None else np.column_stack([np.ones(len(y)), x])
    inverse = np.linalg.inv((design.T * weight) @ design)
    found = inverse @ (design.T * weight) @ y
    leverage = weight * np.einsum("ij,jk,ik->i", design, inverse, design)
    scaled = (weight * (y - design @ found) / (1 - leverage)) ** 2
    # An added image of weight 1/2 has half the variance of a whole one.
    covariance = inverse @ (design.T * (scaled / weight)) @ design @ inverse
    return float(found[0]), float(found[1]) if x is not None else 0.0, float(covariance[0, 0])
