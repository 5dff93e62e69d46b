"""The agreement of model and labels, sharpened by the scores of the images that nobody labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.accuracy.stratified import LEAST_LABELS, LEAST_VARIANCE, stratified_agreement
from driftwatch.artifacts.parts import WeightedShare
from driftwatch.models.metrics import share, wilson

if TYPE_CHECKING:
    from driftwatch.accuracy.evidence import Evidence
    from driftwatch.accuracy.scores import Scores


def agreement(evidence: Evidence, confidence: float, estimator: str) -> WeightedShare:
    """The share of labels that the model agrees with. Its `effective_n`: the labels that would be as good without scores.

    `prediction_powered`: theta = mean(y - lambda f) over the labels + lambda mean(f) over the other images, y being agreement and f
    the score of the model's answer (PPI++: Angelopoulos, Duchi and Zrnic, 2023). It is unbiased whatever the scores are worth;
    lambda, estimated on the labels, is 0 where they are worth nothing. The interval is Wilson's with the
    effective number, which covers better than a normal one near 1. A stratified sample has its own: see
    `driftwatch.accuracy.stratified`.
    """
    if evidence.strata:
        return stratified_agreement(evidence.strata, confidence, estimator)
    n, right = evidence.labels, evidence.right
    if n == 0:
        undefined = share(0, 0, confidence, "no image of the sample has a label")
        return WeightedShare(**undefined.model_dump(exclude_unset=True), effective_n=0.0)
    scores = evidence.scores
    # Days without scores may be among those that are judged together.
    enough = n >= LEAST_LABELS and scores.n == n and scores.rest_n >= LEAST_LABELS and 0 < right < n
    value, ratio = _sharpened(scores, n, right) if estimator == "prediction_powered" and enough else (right / n, 1.0)
    low, high = wilson(value, n / ratio, confidence)
    return WeightedShare(value=value, low=low, high=high, n=n, effective_n=n / ratio)


def _sharpened(s: Scores, n: int, right: int) -> tuple[float, float]:
    """The estimate with the scores' help, and its variance over that of the plain share `right` / `n`; the plain share and 1 where the
    scores do not help."""
    value = right / n
    mean, rest_mean = s.sum / n, s.rest_sum / s.rest_n
    covariance = (s.right_sum - s.sum * value) / (n - 1)
    rest_variance = max(s.rest_squares / s.rest_n - rest_mean**2, 0.0)
    spread = (s.squares - n * mean**2 + s.rest_n * rest_variance) / (n + s.rest_n - 2)
    own = value * (1 - value) * n / (n - 1)
    if spread <= 0 or covariance <= 0:
        return value, 1.0
    weight = min(covariance / (spread * (1 + n / s.rest_n)), 1.5)
    score_variance = max((s.squares - n * mean**2) / (n - 1), 0.0)
    residual = (own - 2 * weight * covariance + weight**2 * score_variance) * (n - 1) / (n - 2)
    variance = residual / n + weight**2 * rest_variance / s.rest_n
    moved = value + weight * (rest_mean - mean)
    if variance >= own / n or not 0 < moved < 1:
        return value, 1.0
    return moved, max(variance / (own / n), LEAST_VARIANCE)
