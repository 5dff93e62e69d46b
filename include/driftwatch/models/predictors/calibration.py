"""Calibration: raw answers (logits) become probabilities that mean what they say. The logits are divided by the model's temperature, then
the softmax turns them into probabilities."""

from __future__ import annotations

import numpy as np


def probabilities(raw: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of logits [n, classes] divided by `temperature`."""
    from scipy.special import softmax

    return softmax(raw / temperature, axis=1)


def log_of(scores: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities; a chance of zero counts as the least that is told apart from it."""
    logarithms: np.ndarray = np.log(np.clip(scores, 1e-300, 1.0))
    return logarithms


def fit_temperature(raw: np.ndarray, labels: np.ndarray) -> float:
    """The temperature by which the true labels become most likely (Guo et al., 2017). It lies between .25 and 4.

    It is 1.0 where there are too few images (30) to say.
    """
    from scipy.optimize import minimize_scalar

    if len(labels) < 30:
        return 1.0

    def loss(log_temperature: float) -> float:
        chances = probabilities(raw, float(np.exp(log_temperature)))[np.arange(len(labels)), labels]
        return -float(np.log(np.clip(chances, 1e-12, 1)).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.25), np.log(4.0)), method="bounded")
    return round(float(np.exp(found.x)), 4)
