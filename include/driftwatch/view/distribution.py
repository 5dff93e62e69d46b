"""A feature's distribution on a day against that of the images that the day was compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftwatch.artifacts.drift import BASELINES, DAYS, TRAILING
from driftwatch.storage.tables import open_table
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
    artifacts: Artifacts,
    day: date,
    feature: str,
    version: str | None,
    state: str | None = None,
    baseline: Sequence[date] = (),
) -> Distribution | None:
    """The day against the reference of model `version` in BINS bins of equal width, or None without the column. `state`: the accepted
    state or the baseline that the day was compared with in its place; `baseline`: the days of that.

    The bins reach from the lower of the two 0.5 % quantiles to the higher of the two 99.5 % quantiles. Values beyond are
    counted in the outermost bins.
    """
    keys, read = artifacts.keys, reading(feature)
    ours = artifacts.get(keys.day(day).features, read)
    if ours is None or not len(ours):
        return None
    place = keys.state_place(state) if state and state not in BASELINES else version
    places = [keys.reference_features(place)] if place else []
    if state in (TRAILING, DAYS) and baseline:
        places = [keys.day(other).features for other in baseline]
    known = [values for key in places if (values := artifacts.get(key, read)) is not None]
    theirs = np.concatenate(known) if known else np.empty(0, "float32")
    both = [ours, theirs] if len(theirs) else [ours]
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
        reference_n=len(theirs),
        reference=share(theirs) if len(theirs) else None,
        reference_version=version,
    )


def reading(feature: str) -> Callable[[Storage, str], np.ndarray]:
    """Reads one column of a features table, float32, without missing values; empty where it is not there or holds no numbers."""

    def read(storage: Storage, key: str) -> np.ndarray:
        with open_table(storage, key) as table:
            pieces = [piece[feature] for piece in table.pieces([feature])] if feature in table.names else []
        numbers = [piece for piece in pieces if pa.types.is_floating(piece.type) or pa.types.is_integer(piece.type)]
        values = [piece.drop_null().to_numpy().astype("float32") for piece in numbers]
        found = np.concatenate([np.empty(0, "float32"), *values])
        return found[~np.isnan(found)]

    read.__qualname__ = f"the column {feature}"
    return read
