"""The normal images that stand beside changed ones.

A normal neighbour is an image of the last days on which the images were as usual or, where there is no such day, of the training images.
The model answered it with the same class, and of those it is the nearest by the features that did not move.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.drift import DayDrift, FeatureDrift
from driftwatch.errors import DamagedArtifact
from driftwatch.models.original_set import set_keys
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_images import SEGMENT, day_sample, features_of
from driftwatch.view.large_tables import read_whole
from driftwatch.view.words import listing

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)
USUAL_DAYS, _DAYS_LOOKED_AT = 3, 60
# Images to choose a neighbour from. Of large days one is enough, and a random part of it is all that is read.
_ENOUGH = 2_000
TRAINING_DAY = "training"  # stands where a day would, in addresses too
_NORMAL_SPREAD = 3.29  # standard deviations between the 5 % and the 95 % quantile of a normal distribution


def usual_images(artifacts: Artifacts, day: date) -> tuple[pd.DataFrame, str]:
    """The normal images that may stand beside changed ones, with the column `day`, and in words where they are from.
    A day that cannot be read is left out."""
    import pandas as pd

    tables: list[pd.DataFrame] = []
    days = [other for other in artifacts.store.days() if other < day][-_DAYS_LOOKED_AT:]
    for other in reversed(days):
        try:
            drift = artifacts.find(artifacts.keys.day(other).drift, DayDrift)
            table = day_sample(artifacts, other) if drift and drift.verdict == "ok" else None
        except (DamagedArtifact, PermissionError) as error:
            logger.warning("The images of %s do not stand beside changed ones: %s", other, error)
            continue
        if table is not None and features_of(table) and table["prediction"].notna().any():
            tables.append(table.assign(day=other.isoformat()))
        if len(tables) == USUAL_DAYS or sum(map(len, tables)) >= _ENOUGH:
            break
    if tables:
        said = listing([str(table["day"].iloc[0]) for table in reversed(tables)])
        return pd.concat(tables, ignore_index=True), f"images of {said}, on which the images were as usual"
    return training_images(artifacts), "training images: no day before this one was as usual"


def training_images(artifacts: Artifacts) -> pd.DataFrame:
    """The original labelled images as `day_images` has a day's; their label stands for the prediction. Empty where they are not stored."""
    import pandas as pd

    keys = set_keys(artifacts.store)
    table, features = artifacts.get(keys.table, read_whole), artifacts.get(keys.features, read_whole)
    if table is None or features is None or "key" not in table or len(table) != len(features):
        return pd.DataFrame({"image_id": [], "prediction": [], "day": []})
    numbers = features.drop(columns="image_id", errors="ignore").reset_index(drop=True)
    return pd.concat([table.reset_index(drop=True), numbers], axis=1).assign(
        prediction=table["label"].to_numpy(), answer=None, day=TRAINING_DAY
    )


def neighbours(chosen: pd.DataFrame, usual: pd.DataFrame, stayed: Sequence[FeatureDrift]) -> list[pd.Series | None]:
    """The normal image for each changed one. An image stands beside one changed image only, as long as there are others."""
    names = [row.feature for row in stayed if row.feature in usual]
    scale = np.array([spread(row) for row in stayed if row.feature in usual])
    values = usual[names].to_numpy(float) / scale if len(usual) else np.zeros((0, len(names)))
    used: set[int] = set()
    found: list[pd.Series | None] = []
    for _, row in chosen.iterrows():
        alike = _alike(usual, row)
        fresh = [place for place in alike if place not in used] or alike
        if not fresh:
            found.append(None)
            continue
        gaps = np.square(values[fresh] - row[names].to_numpy(float) / scale).sum(axis=1)
        place = fresh[int(np.nan_to_num(gaps, nan=np.inf).argmin())]
        used.add(place)
        found.append(usual.iloc[place])
    return found


def _alike(usual: pd.DataFrame, row: pd.Series) -> list[int]:
    """The places of the normal images with the predicted class of `row`: of the same segments where there are any, else of all."""
    same = (usual["prediction"] == row["prediction"]).to_numpy(bool)
    closer = same.copy()
    for name in (name for name in row.index if name.startswith(SEGMENT)):
        if name in usual and row[name] is not None:
            closer &= (usual[name] == row[name]).to_numpy(bool)
    return [int(place) for place in np.flatnonzero(closer if closer.any() else same)]


def spread(row: FeatureDrift) -> float:
    """A standard deviation of the feature as it is usual."""
    low, high = row.reference_quantiles[0], row.reference_quantiles[-1]
    return (high - low) / _NORMAL_SPREAD or 1.0
