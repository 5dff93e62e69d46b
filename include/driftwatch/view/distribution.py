"""A feature's distribution on a day against the reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.drift import BASELINES
from driftwatch.view.artifacts import Artifacts

if TYPE_CHECKING:
    from driftwatch.storage import Storage

BINS = 24


@dataclass(frozen=True)
class Distribution:
    """Shares of the day's `n` images and of the reference's in the bins between `edges`; `reference` is None without one."""

    feature: str
    day: str
    edges: list[float]
    n: int
    shares: list[float]
    reference_n: int
    reference: list[float] | None
    reference_version: str | None


def distribution(
    artifacts: Artifacts, day: date, feature: str, version: str | None, state: str | None = None
) -> Distribution | None:
    """The day against the reference of model `version` in BINS bins of equal width, or None without the column. `state`: the accepted
    state that the day was compared with in its place.

    The bins reach from the lower of the two 0.5 % quantiles to the higher of the two 99.5 % quantiles. Values beyond are
    counted in the outermost bins.
    """
    ours = _column(artifacts, artifacts.keys.day(day).features, feature)
    if ours is None or not len(ours):
        return None
    place = artifacts.keys.state_place(state) if state and state not in BASELINES else version
    theirs = _column(artifacts, artifacts.keys.reference_features(place), feature) if place else None
    both = [ours] if theirs is None or not len(theirs) else [ours, theirs]
    low = min(float(np.quantile(values, 0.005)) for values in both)
    high = max(float(np.quantile(values, 0.995)) for values in both)
    if high <= low:
        low, high = low - 0.5, low + 0.5
    edges = np.linspace(low, high, BINS + 1)

    def share(values: np.ndarray) -> list[float]:
        counts, _ = np.histogram(np.clip(values, low, high), edges)
        found: list[float] = (counts / len(values)).tolist()
        return found

    return Distribution(
        feature=feature,
        day=day.isoformat(),
        edges=edges.tolist(),
        n=len(ours),
        shares=share(ours),
        reference_n=len(theirs) if theirs is not None else 0,
        reference=share(theirs) if theirs is not None and len(theirs) else None,
        reference_version=version,
    )


def _column(artifacts: Artifacts, key: str, feature: str) -> np.ndarray | None:
    table = artifacts.get(key, read_features)
    return table.get(feature) if table else None


def read_features(storage: Storage, key: str) -> dict[str, np.ndarray]:
    """The numeric columns of a features table, float32, without missing values."""
    table = storage.read_table(key)
    return {
        str(name): values.dropna().to_numpy("float32")
        for name, values in table.items()
        if name != "image_id" and values.dtype.kind in "fiu"
    }
