"""How many images of a day to label, for an interval of a wanted width and within the budget (`annotation.sample_size: auto`)."""

from __future__ import annotations

import math
from datetime import date, timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import MissingArtifact

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def expected_accuracy(card: Mapping[str, Any]) -> float:
    """The lower end of the model's holdout interval; .5, which needs the most labels, where there is no holdout."""
    low = card["metrics"]["holdout"]["accuracy"]["low"]
    return 0.5 if low is None else float(low)


def choose_size(store: MonitorStore, day: date, affordable: int) -> dict[str, Any]:
    """The day's number of images: `images`, what the width `wanted`, the `expected_accuracy`, and what a label was `worth`.

    The accuracy is taken to be `expected_accuracy`, so that a day that is somewhat worse than the holdout still has the width.
    `worth` is the labels' effective number over the images asked about on the last LOOK_BACK days judged with the same model:
    below 1 where answers are missing, tied or wrong, above where the scores help. `affordable`: images that the budget allows.
    """
    version = store.storage.read_json(store.keys.day(day).ingest)["model_version"]
    expected = expected_accuracy(store.storage.read_json(store.keys.model_card(version)))
    settings = store.config.performance
    worth = _worth(store, day, version)
    wanted = math.ceil(images_for_width(store.config.annotation.interval_width, expected, settings.confidence) / worth)
    return {
        "images": max(1, min(max(wanted, settings.min_labels), affordable)),
        "wanted": wanted,
        "affordable": affordable,
        "expected_accuracy": expected,
        "worth": round(worth, 4),
    }


def _worth(store: MonitorStore, day: date, version: str) -> float:
    effective, asked = 0.0, 0
    for back in range(1, LOOK_BACK + 1):
        try:
            found = store.storage.read_json(store.keys.day(day - timedelta(days=back)).performance)
        except MissingArtifact:
            continue
        known = found.get("effective_labels")
        if known and found["model_version"] == version:
            effective, asked = effective + known, asked + found["sampled"]
    return min(max(effective / asked, _LEAST_WORTH), _MOST_WORTH) if asked else 1.0
