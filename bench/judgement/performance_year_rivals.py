"""What others look at every day, each as one number a day that is the higher the more it speaks for a fall: so all can be set to raise equally
many false alerts.

- `worse` is the product's own. `drop` and `trend` are its older rules.
- glide-py (0.11.0): the asymptotic confidence sequence for the running mean of `AsymptoticClassicalRM`, by its own code; an alarm where the
  upper end is below a threshold. A user knows the holdout's accuracy, so the number is how far below that the upper end is.
- NannyML (0.13.1): `StandardDeviationThreshold`, an alarm where the day is more than 3 standard deviations of the reference's chunks below
  their mean. The reference is the holdout in chunks of as many images as a day has labels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy.stats import hypergeom

from driftwatch.accuracy.decline import DECLINES
from driftwatch.accuracy.sequential import FIRST_DAY, Found, Looks, look
from driftwatch.accuracy.sequential_rules import DAYS_A_YEAR
from driftwatch.models.metrics import wilson

RATE = 0.1
# Of one rule of two.
LIMIT = 2 * (DAYS_A_YEAR + FIRST_DAY - 1) / RATE
GLIDE = Path(__file__).resolve().parents[2] / "var" / "bench" / "glide"
CHUNK = 100
CONFIDENCE, TIGHTEST = 0.8, 10  # glide-py's defaults


def plain(shares: np.ndarray, labels: float) -> Looks:
    """Days whose labels are all right."""
    none = np.zeros_like(shares)
    return Looks(shares, none + labels, none, none)


def found(looks: Looks, held: np.ndarray, images: np.ndarray) -> Found:
    """What `worse` finds, as one of the two default rules; so many series at a time as fit into a cache."""
    parts = []
    for first in range(0, len(held), CHUNK):
        part = slice(first, first + CHUNK)
        of_part = Looks(*(field[part] for field in looks))
        parts.append(look(of_part, held[part], images[part], LIMIT))
    return Found(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def worse(shares: np.ndarray, labels: int, held: np.ndarray, images: int) -> np.ndarray:
    """Evidence over its limit."""
    return found(plain(shares, labels), held, np.full(len(held), float(images))).evidence


def drop(shares: np.ndarray, labels: int, held: np.ndarray, images: int) -> np.ndarray:
    """Fisher's exact one-sided test of the day against the holdout, as -log10 of its p-value."""
    right, held_right = np.round(shares * labels), np.round(held * images)[:, None]
    p = hypergeom.cdf(right, labels + images, held_right + right, labels)
    return -np.log10(np.maximum(p, 1e-300))


def trend(shares: np.ndarray, labels: int, held: np.ndarray, images: int) -> np.ndarray:
    """`driftwatch.accuracy.decline` for many series: its level over that of an alarm."""
    usual = np.clip([wilson(value, images, 0.95)[0] for value in held], 0.02, 0.995)[:, None]
    lower = np.maximum(usual - np.array(DECLINES), usual / 2)
    gains = np.log(lower / usual), np.log((1 - lower) / (1 - usual))
    level, levels = np.zeros((len(held), len(DECLINES))), np.zeros_like(shares)
    for day in range(shares.shape[1]):
        right = shares[:, day, None] * labels
        level = np.minimum((level + 1) * np.exp(right * gains[0] + (labels - right) * gains[1]), 1e12)
        levels[:, day] = level.mean(axis=1)
    return levels / (DAYS_A_YEAR / RATE)


def glide(shares: np.ndarray, labels: int, held: np.ndarray, images: int) -> np.ndarray:
    """The holdout's accuracy less the upper end of glide-py's confidence sequence."""
    sys.path.insert(0, str(GLIDE))
    from glide.confidence_sequences.asymptotic import _compute_asymptotic_bounds  # type: ignore[import-not-found]

    below = np.zeros_like(shares)
    for row, days in enumerate(shares):
        # A day without a mistake has no variance by its formula, and gets that of half a mistake.
        errors = np.sqrt(np.maximum(days * (1 - days), 0.5 / labels) / (labels - 1))
        _, lower = _compute_asymptotic_bounds(-days, errors, 1 - CONFIDENCE, TIGHTEST)
        below[row] = held[row] + lower
    return below


def nannyml(shares: np.ndarray, labels: int, held: np.ndarray, images: int) -> np.ndarray:
    """Standard deviations below the holdout's mean, where the deviation of chunks is that of their number of labels: NannyML estimates it
    by the chunks, of which a holdout has few, and so does worse than this."""
    spread = np.maximum(held * (1 - held), 0.5 / images)
    return np.asarray((held[:, None] - shares) / np.sqrt(spread / labels)[:, None])


def glide_agrees() -> None:
    """Checks that the number above is that of glide-py's own monitor, on one series of raw labels."""
    sys.path.insert(0, str(GLIDE))
    from glide.monitors import AsymptoticClassicalRM

    rng, labels, days = np.random.default_rng(1), 50, 40
    right = (rng.random((days, labels)) < np.where(np.arange(days) < 20, 0.9, 0.7)[:, None]).astype(float)
    said = AsymptoticClassicalRM().detect(
        right.ravel(), np.repeat(np.arange(days), labels), higher_is_better=True, threshold=0.85
    )
    ours = glide(right.mean(axis=1)[None], labels, np.array([0.85]), 1000)[0]
    assert np.allclose(0.85 - np.asarray(said.confidence_bounds), ours), "glide-py's monitor says something else"
