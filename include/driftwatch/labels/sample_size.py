"""How many images of a day to label, for an interval of a wanted width and within the budget (`labels.sample_size: auto`)."""

from __future__ import annotations

import math
from datetime import timedelta
from statistics import NormalDist

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.annotation import SampleSize
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.store import DayStore

# Days before this one that say what a label is worth, where they were judged already.
LOOK_BACK = 7
# One day's worth is known badly; far from 1 it says more about that day than about the next.
_LEAST_WORTH, _MOST_WORTH = 0.4, 1.5


def images_for_width(width: float, accuracy: float, confidence: float) -> int:
    """The fewest labels whose Wilson interval is at most `width` wide when the share `accuracy` of them is right."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)

    def wide(n: int) -> float:
        return 2 * z * math.sqrt(accuracy * (1 - accuracy) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)

    low, high = 1, math.ceil((z / width) ** 2) + 1  # the width is below z / sqrt(n) for every accuracy
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if wide(middle) <= width else (middle + 1, high)
    return low


def expected_accuracy(card: ModelCard) -> float:
    """The lower end of the model's holdout interval; .5, which needs the most labels, where there is no holdout."""
    low = card.metrics.holdout.accuracy.low
    return 0.5 if low is None else float(low)


def choose_size(day: DayStore, affordable: int) -> SampleSize:
    """The day's number of images, with what it rests on. `affordable`: images that the budget allows.

    The accuracy is taken to be `expected_accuracy`, so that a day that is somewhat worse than the holdout still has the width.
    `worth` is the labels' effective number over the images asked about on the last LOOK_BACK days judged with the same model. It is
    below 1 where answers are missing, tied, wrong, or about another model version, above 1 where the scores help.
    """
    version = day.read(Ingest).model_version
    expected = expected_accuracy(day.monitor.read(day.monitor.keys.model_card(version), ModelCard))
    settings = day.config.performance
    worth = _worth(day, version)
    wanted = math.ceil(images_for_width(day.config.labels.interval_width, expected, settings.confidence) / worth)
    return SampleSize(
        images=max(1, min(max(wanted, settings.min_labels), affordable)),
        wanted=wanted,
        affordable=affordable,
        expected_accuracy=expected,
        worth=round(worth, 4),
    )


def _worth(day: DayStore, version: str) -> float:
    effective, asked = 0.0, 0
    for back in range(1, LOOK_BACK + 1):
        found = day.monitor.day(day.date - timedelta(days=back)).find(Performance)
        if found and found.effective_labels and found.model_version == version:
            effective, asked = effective + found.effective_labels, asked + found.sampled
    return min(max(effective / asked, _LEAST_WORTH), _MOST_WORTH) if asked else 1.0
