"""Labelled days of simulated people and models: the evidence, and the model's agreement with the labels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from driftwatch.accuracy.evidence import Evidence, Scores, Votes, disagreement, spread_of
from driftwatch.artifacts.parts import WeightedShare
from driftwatch.models.metrics import wilson


def simulated(rng: np.random.Generator, accuracy: float, wrong: float, alike: float, n: int = 200, control: int = 400):
    """A day of two classes with three votes an image, whose chance of a wrong vote is beta distributed with correlation `alike`;
    the evidence and the agreement."""

    def chances(size: int) -> np.ndarray:
        return rng.beta(wrong * (1 - alike) / alike, (1 - wrong) * (1 - alike) / alike, size)

    truth = rng.integers(0, 2, n)
    predicted = np.where(rng.random(n) < accuracy, truth, 1 - truth)
    bad = rng.binomial(3, chances(n))
    label = np.where(bad >= 2, 1 - truth, truth)
    confusion = np.zeros((2, 2), dtype="int64")
    np.add.at(confusion, (label, predicted), 1)
    missed = rng.random(control) < chances(control)
    of_first = rng.random(control) < 0.5
    right = [int((of_first & ~missed).sum()), int((~of_first & ~missed).sum())]
    missed_by_class = [int((of_first & missed).sum()), int((~of_first & missed).sum())]
    disagree = bad * (3 - bad) / 3
    votes = Votes(
        np.array(right), np.array(missed_by_class), control, 0, 0, 0, 0, n, disagree.sum(), (disagree**2).sum(), {3: n}
    )
    evidence = Evidence(confusion, Scores(), votes)
    value = evidence.right / n
    low, high = wilson(value, n, 0.95)
    return evidence, WeightedShare(value=value, low=low, high=high, n=n, effective_n=n)


def of_classes(rng: np.random.Generator, k: int, wrong: float, twins: bool = False, n: int = 150, overlap: int = 3):
    """A day of `k` classes whose wrong votes go to any other class, or with `twins` to one: the evidence, the agreement, and the share of
    labels that are wrong."""

    def answers(truth: np.ndarray, votes: int) -> np.ndarray:
        other = truth[:, None] ^ 1 if twins else (truth[:, None] + rng.integers(1, k, (len(truth), votes))) % k
        return np.where(rng.random((len(truth), votes)) < wrong, other, truth[:, None])

    truth = rng.integers(0, k, n)
    predicted = np.where(rng.random(n) < 0.875, truth, (truth + rng.integers(1, k, n)) % k)
    counts = np.zeros((n, k))
    np.add.at(counts, (np.arange(n)[:, None], answers(truth, overlap)), 1)
    most = counts.max(axis=1, keepdims=True)
    label, clear = counts.argmax(axis=1), (counts == most).sum(axis=1) == 1
    confusion = np.zeros((k, k), dtype="int64")
    np.add.at(confusion, (label[clear], predicted[clear]), 1)
    known = np.arange(75) % k
    given = answers(known, 2)
    bad = given != known[:, None]
    missed = np.bincount(np.repeat(known, 2), bad.ravel(), k)
    rows = pd.DataFrame(
        {
            "image_id": np.repeat(np.arange(75), 2)[bad.ravel()],
            "known_label": np.repeat(known, 2)[bad.ravel()],
            "answer": given[bad],
        }
    )
    apart = disagreement(counts)
    votes = Votes(
        2 * np.bincount(known, minlength=k) - missed, missed, 300, 0, 0, 0, 0, n, apart.sum(), (apart**2).sum(),
        {overlap: int(clear.sum())}, spread_of(counts, rows, range(k)),
    )  # fmt: skip
    evidence = Evidence(confusion, Scores(), votes)
    value, labels = evidence.right / evidence.labels, evidence.labels
    low, high = wilson(value, labels, 0.95)
    return evidence, WeightedShare(value=value, low=low, high=high, n=labels, effective_n=labels)
