"""The agreement of model and labels, sharpened by the scores of the images that nobody labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch.models.metrics import share, wilson

if TYPE_CHECKING:
    from driftwatch.accuracy.evidence import Evidence

# Fewer labels than this do not tell how scores and agreement go together.
_LEAST_LABELS = 20
# Scores explain a part of the agreement by chance; more than this in variance is not believed.
_LEAST_VARIANCE = 0.5


def agreement(evidence: Evidence, confidence: float, estimator: str) -> dict[str, Any]:
    """The share of labels that the model agrees with, as a share with `effective_n`, the labels that would be as good without scores.

    `prediction_powered`: theta = mean(y - lambda f) over the labels + lambda mean(f) over the other images, y being agreement and f
    the score of the model's answer (PPI++: Angelopoulos, Duchi and Zrnic, 2023). It is unbiased whatever the scores are worth;
    lambda, estimated on the labels, is 0 where they are worth nothing. The interval is Wilson's with the
    effective number, which covers better than a normal one near 1.
    """
    n, right = evidence.labels, evidence.right
    plain = share(right, n, confidence, "no image of the sample has a label")
    if n == 0:
        return {**plain, "effective_n": 0.0}
    s = evidence.scores
    value, ratio = right / n, 1.0
    if estimator == "prediction_powered" and n >= _LEAST_LABELS and s.rest_n >= _LEAST_LABELS and 0 < right < n:
        mean, rest_mean = s.sum / n, s.rest_sum / s.rest_n
        covariance = (s.right_sum - s.sum * value) / (n - 1)
        rest_variance = max(s.rest_squares / s.rest_n - rest_mean**2, 0.0)
        spread = (s.squares - n * mean**2 + s.rest_n * rest_variance) / (n + s.rest_n - 2)
        own = value * (1 - value) * n / (n - 1)
        if spread > 0 and covariance > 0:
            weight = min(covariance / (spread * (1 + n / s.rest_n)), 1.5)
            score_variance = max((s.squares - n * mean**2) / (n - 1), 0.0)
            residual = (own - 2 * weight * covariance + weight**2 * score_variance) * (n - 1) / (n - 2)
            variance = residual / n + weight**2 * rest_variance / s.rest_n
            moved = value + weight * (rest_mean - mean)
            if variance < own / n and 0 < moved < 1:
                value, ratio = moved, max(variance / (own / n), _LEAST_VARIANCE)
    low, high = wilson(value, n / ratio, confidence)
    return {"value": value, "low": low, "high": high, "n": n, "effective_n": n / ratio}
