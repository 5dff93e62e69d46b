"""How right the model was on the labelled sample: every share with its interval, nothing guessed.

A share is `{"value", "low", "high", "n"}`. One that is undefined has null for the three numbers and a `reason`, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy.stats import binomtest


def share(hits: int, n: int, confidence: float, undefined: str = "there is nothing to count") -> dict[str, Any]:
    """`hits` of `n` with its Wilson interval (E. B. Wilson, 1927); null with the reason `undefined` where n is 0."""
    if n == 0:
        return {"value": None, "low": None, "high": None, "n": 0, "reason": undefined}
    interval = binomtest(hits, n).proportion_ci(confidence_level=confidence, method="wilson")
    return {"value": hits / n, "low": float(interval.low), "high": float(interval.high), "n": n}


def wilson(value: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's interval for the share `value` of `n`, which may be an effective number and no whole one."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(max(value * (1 - value), 0) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def interval_of(draws: np.ndarray, confidence: float) -> dict[str, float]:
    """The median of `draws` and the interval that holds `confidence` of them."""
    low, value, high = np.quantile(draws, [(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
    return {"value": float(value), "low": float(low), "high": float(high)}


def f1(hits: int, union: int, confidence: float, undefined: str) -> dict[str, Any]:
    """F1 of a class with an interval. `hits`: images of the class that were predicted so; `union`: images that are of the class
    or were predicted so.

    F1 = 2 s / (1 + s) with s = hits / union, and rises with s. Given the union, hits is binomial: Wilson's interval for s,
    carried through, is one for F1. It holds where a bootstrap fails: with few images, and when all or none are right.
    """
    found = share(hits, union, confidence, undefined)
    if union == 0:
        return found
    return {**found, **{key: 2 * found[key] / (1 + found[key]) for key in ("value", "low", "high")}}


def in_order(found: Iterable[str], classes: Sequence[str]) -> list[str]:
    """The names of `found` as the monitor file orders its classes, which JSON artifacts do not keep; a name that is no class comes last."""
    place = {name: position for position, name in enumerate(classes)}
    return sorted(found, key=lambda name: (place.get(name, len(place)), name))


def confusion_matrix(truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Counts, int64 [classes, classes]: rows are the true class, columns the predicted one, both in the order of `classes`."""
    index = {name: position for position, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype="int64")
    np.add.at(counts, ([index[name] for name in truth], [index[name] for name in predicted]), 1)
    return counts


def top_confusions(matrix: Mapping[str, Any], most: int) -> list[tuple[str, str, int, float]]:
    """The pairs that were confused most often: true class, predicted class, how often, and the share of the true class's images; of
    pairs as frequent those of the larger share come first."""
    labels, found = matrix["labels"], []
    for name, row in zip(labels, matrix["rows"], strict=True):
        total = sum(row)
        found += [(name, other, n, n / total) for other, n in zip(labels, row, strict=True) if n and other != name]
    return sorted(found, key=lambda pair: (-pair[2], -pair[3]))[:most]


def measure(
    truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str], confidence: float = 0.95
) -> dict[str, Any]:
    """accuracy, `classes` (precision, recall, f1 and support of each) and confusion_matrix of a random sample.

    precision is undefined where the model never answered the class, recall where the sample has none of it.
    """
    counts = confusion_matrix(truth, predicted, classes)
    per_class = {}
    for index, name in enumerate(classes):
        hits = int(counts[index, index])
        of_class, answered = int(counts[index].sum()), int(counts[:, index].sum())
        no_answer, no_image = f"the model answered {name} for no labelled image", f"no labelled image is {name}"
        per_class[name] = {
            "precision": share(hits, answered, confidence, no_answer),
            "recall": share(hits, of_class, confidence, no_image),
            "f1": f1(hits, of_class + answered - hits, confidence, f"{no_image}, and {no_answer}"),
            "support": of_class,
        }
    return {
        "accuracy": share(int(np.trace(counts)), int(counts.sum()), confidence, "no image of the sample has a label"),
        "classes": per_class,
        "confusion_matrix": {"labels": list(classes), "rows": counts.tolist()},
    }
