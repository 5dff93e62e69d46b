"""How often the model was right on a labelled sample. Every share has its interval, and nothing is guessed.

A share of no images is undefined: it has a reason instead of a value, and it is never 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist

import numpy as np
from scipy.stats import binomtest

from driftwatch.artifacts.accuracy import ClassMetrics, ConfusionMatrix, Metrics
from driftwatch.artifacts.parts import Interval, Share

NO_LABEL = "no image of the sample has a label"


def share(hits: int, n: int, confidence: float, undefined: str = "there is nothing to count") -> Share:
    """`hits` of `n` with its Wilson interval (E. B. Wilson, 1927). If n is 0, it is null with the reason `undefined`."""
    if n == 0:
        return Share(value=None, low=None, high=None, n=0, reason=undefined)
    interval = binomtest(hits, n).proportion_ci(confidence_level=confidence, method="wilson")
    return Share(value=hits / n, low=float(interval.low), high=float(interval.high), n=n)


def wilson(value: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's interval for the share `value` of `n`. `n` may be an effective number of images, which need not be whole."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (value + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(max(value * (1 - value), 0) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def interval_of(draws: np.ndarray, confidence: float) -> Interval:
    """The median of `draws` and the interval that holds `confidence` of them."""
    low, value, high = np.quantile(draws, [(1 - confidence) / 2, 0.5, (1 + confidence) / 2])
    return Interval(value=float(value), low=float(low), high=float(high))


def f1(hits: int, union: int, confidence: float, undefined: str) -> Share:
    """F1 of a class with an interval. `hits`: images of the class that were predicted as the class. `union`: images that are of the
    class, or were predicted as the class, or both.

    With s = hits / union, F1 = 2 s / (1 + s), which rises with s. For a given union, hits is binomial. So the ends of Wilson's interval
    for s give the ends of an interval for F1. It also holds where a bootstrap fails: with few images, and when all or none are right.
    """
    found = share(hits, union, confidence, undefined)
    if found.numbers is None:
        return found
    value, low, high = (2 * number / (1 + number) for number in found.numbers)
    return Share(value=value, low=low, high=high, n=union)


def in_order(found: Iterable[str], classes: Sequence[str]) -> list[str]:
    """The names of `found` in the monitor file's order of classes. JSON artifacts do not keep that order. A name that is no class comes last."""
    place = {name: position for position, name in enumerate(classes)}
    return sorted(found, key=lambda name: (place.get(name, len(place)), name))


def confusion_matrix(truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Counts, int64 [classes, classes]: rows are the true class, columns the predicted one, both in the order of `classes`."""
    index = {name: position for position, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype="int64")
    np.add.at(counts, ([index[name] for name in truth], [index[name] for name in predicted]), 1)
    return counts


def top_confusions(matrix: ConfusionMatrix, most: int) -> list[tuple[str, str, int, float]]:
    """The pairs that were confused most often: true class, predicted class, how often, and the share of the true class's images. If two
    pairs are equally frequent, the one with the larger share comes first."""
    found: list[tuple[str, str, int, float]] = []
    for name, row in zip(matrix.labels, matrix.rows, strict=True):
        total = sum(row)
        found += [
            (name, other, n, n / total) for other, n in zip(matrix.labels, row, strict=True) if n and other != name
        ]
    return sorted(found, key=lambda pair: (-pair[2], -pair[3]))[:most]


def measure(
    truth: Sequence[str], predicted: Sequence[str], classes: Sequence[str], confidence: float = 0.95
) -> Metrics:
    """Accuracy, the metrics of each class, and the confusion matrix of a random sample.

    Precision is undefined if the model never answered the class. Recall is undefined if the sample has no image of it.
    """
    counts = confusion_matrix(truth, predicted, classes)
    rows = tuple(tuple(row) for row in counts.tolist())
    return Metrics(
        accuracy=share(int(np.trace(counts)), int(counts.sum()), confidence, NO_LABEL),
        classes={name: _of_class(counts, index, name, confidence) for index, name in enumerate(classes)},
        confusion_matrix=ConfusionMatrix(labels=tuple(classes), rows=rows),
    )


def _of_class(counts: np.ndarray, index: int, name: str, confidence: float) -> ClassMetrics:
    hits = int(counts[index, index])
    of_class, answered = int(counts[index].sum()), int(counts[:, index].sum())
    no_answer, no_image = f"the model answered {name} for no labelled image", f"no labelled image is {name}"
    return ClassMetrics(
        precision=share(hits, answered, confidence, no_answer),
        recall=share(hits, of_class, confidence, no_image),
        f1=f1(hits, of_class + answered - hits, confidence, f"{no_image}, and {no_answer}"),
        support=of_class,
    )


def without_intervals(found: Metrics, reason: str) -> Metrics:
    """The metrics of images that stand for no others. `reason`: why there is no interval."""

    def alone(share: Share) -> Share:
        return share if share.value is None else share.model_copy(update={"low": None, "high": None, "reason": reason})

    classes = {
        name: row.model_copy(update={part: alone(getattr(row, part)) for part in ("precision", "recall", "f1")})
        for name, row in found.classes.items()
    }
    return found.model_copy(update={"accuracy": alone(found.accuracy), "classes": classes})


def holm(p_values: np.ndarray) -> np.ndarray:
    """The p-values of one family, corrected by Holm (1979); the shape stays, and NaN is no test."""
    flat = p_values.ravel()
    asked = np.flatnonzero(~np.isnan(flat))
    order = asked[np.argsort(flat[asked], kind="stable")]
    steps = flat[order] * np.arange(len(order), 0, -1)
    found = np.full(flat.shape, np.nan)
    found[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return found.reshape(p_values.shape)
