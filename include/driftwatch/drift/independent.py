"""How many independent images the answers on a day are, and their counts by class as of so many images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftwatch.drift.against_reference import with_clusters
from driftwatch.drift.class_shares import whole_counts
from driftwatch.drift.dependence import share_weights, weights_of

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore


def independent_images(day: DayStore, predictions: pd.DataFrame) -> np.ndarray:
    """How much of an independent image each of the images is, [n], by the score in which it tells least. Without scores: by the class
    that was predicted."""
    columns, table = [f"score.{name}" for name in day.config.classes], predictions
    if not set(columns) <= set(table.columns) or table[columns].isna().any(axis=None):
        said = {column: table["prediction"] == name for column, name in zip(columns, day.config.classes, strict=True)}
        table = table.assign(**said).astype(dict.fromkeys(columns, float))
    weights = weights_of(with_clusters(day, table), columns)
    return np.ones(len(predictions)) if weights is None else weights.min(axis=1)


def independent_counts(independent: np.ndarray, codes: np.ndarray, classes: int) -> np.ndarray:
    """Counts by class whose sum is the number of images that would tell the shares as surely. `codes` [n]: the place of each class."""
    counted, worth = share_weights(independent)
    return whole_counts(counted * (worth / max(counted.sum(), 1)), codes, classes)
