"""A few images in place of many. A set may be in the order of its classes, and one class may have nearly all of its images: then the first ones,
or every so many, may show a model a single class."""

from __future__ import annotations

import numpy as np


def evenly(labels: np.ndarray, most: int) -> np.ndarray:
    """The places of at most `most` images, in their order; `labels` are the class indices [n].

    All classes have as many, and those with fewer images give all of theirs. Within its class they are evenly spread, from the first to
    the last. With more classes than `most`, the largest ones have one each.
    """
    classes, counts = np.unique(labels, return_counts=True)
    left, found = min(most, len(labels)), []
    for number, place in enumerate(np.argsort(counts, kind="stable")):
        share = min(int(counts[place]), left // (len(classes) - number))
        own = np.flatnonzero(labels == classes[place])
        found.append(own[np.linspace(0, len(own) - 1, share).round().astype(int)])
        left -= share
    return np.sort(np.concatenate([np.empty(0, int), *found]))
