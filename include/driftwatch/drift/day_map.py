"""A map of the day's images beside those of the reference, by what the drift of content is judged by.

Its two directions are the principal components of both together, so a change of the day has a chance to be one of them. A map shows and
does not judge: what lies apart in the other directions lies on one spot here.
"""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.day_map import DayMap, MapPoints
from driftwatch.drift.class_mix import PREDICTION
from driftwatch.drift.embeddings import fit_projection
from driftwatch.drift.reference import CONTENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from driftwatch.artifacts.store import DayStore, MonitorStore

MOST_POINTS = 2_000
_DIGITS = 3


def write_reference_points(
    store: MonitorStore, version: str, image_ids: Sequence[str], components: pd.DataFrame
) -> None:
    """Keeps a sample of the held-out images of model `version` with their ids. `components`: one row for each."""
    chosen = _sample(image_ids)
    table = components.iloc[chosen].reset_index(drop=True)
    table.insert(0, "image_id", [image_ids[place] for place in chosen])
    store.storage.write_table(store.keys.reference_points(version), table)


def write_map(
    day: DayStore, version: str, image_ids: Sequence[str], components: pd.DataFrame | str, images: int | None = None
) -> None:
    """Writes map.json. `components`: of the day's images in the order of `image_ids`; a text where the day cannot be compared with model
    `version`, and then there is no map. `images`: how many the day has, where these are a sample."""
    usual = None if isinstance(components, str) or not len(components) else _reference_points(day.monitor, version)
    if usual is None or isinstance(components, str):
        day.storage.delete(day.key(DayMap))
        return
    chosen = _sample(image_ids)
    names = [name for name in components.columns if name in usual.columns]
    here, there = components.iloc[chosen][names].to_numpy(float), usual[names].to_numpy(float)
    found, shares = _flat(here, there)
    day.write(
        DayMap(
            day=day.date,
            reference_version=version,
            shares=shares,
            of_day=_points([image_ids[place] for place in chosen], found[: len(here)]),
            of_reference=_points(usual["image_id"].tolist(), found[len(here) :]),
            images=len(image_ids) if images is None else images,
        )
    )


def _reference_points(store: MonitorStore, version: str) -> pd.DataFrame | None:
    """The sample of held-out images. Of a version that was registered by an early Driftwatch only the components are known."""
    if store.storage.exists(store.keys.reference_points(version)):
        return store.storage.read_table(store.keys.reference_points(version))
    if not store.storage.exists(store.keys.reference_features(version, CONTENT)):
        return None
    table = store.storage.read_table(store.keys.reference_features(version, CONTENT))
    return table.drop(columns=PREDICTION, errors="ignore").head(MOST_POINTS).assign(image_id="")


def _sample(image_ids: Sequence[str]) -> np.ndarray:
    """The places of at most MOST_POINTS images. An id is a hash, so the first ones in its order are a random sample that is always the
    same."""
    return np.array(sorted(nsmallest(MOST_POINTS, range(len(image_ids)), key=image_ids.__getitem__)), int)


def _flat(here: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Both, one after the other, along their first two principal components [n, 2], and which share of the variance each shows. A column
    counts in standard deviations of the reference."""
    spread = there.std(axis=0)
    both = np.concatenate([here, there]) / np.where(spread > 0, spread, 1.0)
    projection = fit_projection(both)
    axes, along = projection[1:3, :-1], projection[1:3, -1]
    flat = (both - projection[0, :-1]) @ axes.T
    total = float(both.var(axis=0, ddof=1).sum()) or 1.0
    shares = [*(float(round(spread**2 / total, _DIGITS)) for spread in along), 0.0, 0.0]
    return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1]))), (shares[0], shares[1])


def _points(image_ids: list[str], places: np.ndarray) -> MapPoints:
    x, y = (tuple(places[:, axis].round(_DIGITS).tolist()) for axis in (0, 1))
    return MapPoints(images=tuple(image_ids), x=x, y=y)
