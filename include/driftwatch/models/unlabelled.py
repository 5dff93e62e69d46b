"""Images of the days that judge a challenger, with a label or without. Both models answer them, which sharpens the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.artifacts.store import MonitorStore
from driftwatch.images.inputs import DayInputs
from driftwatch.models.splits import EVALUATION, LEFT_OUT, TRAIN, VALIDATION, known_splits, near_any

_AT_ONCE = 256


def images_of_days(store: MonitorStore, judged: pd.DataFrame, learnt: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most `most` images of the days of `judged` (the evaluation images: image_id, day): image_id, day, row, by day and id.

    Each day has as large a part of them as it has of `judged`. They are chosen by the hash that is an image's id. Images of the set
    `learnt` that the challenger was trained on (image_id, split) are left out, and so is what is near to one: a model is too sure of them,
    and no evaluation image is such a one.
    """
    splits = known_splits(store)
    trained = learnt.loc[learnt["split"].isin([TRAIN, VALIDATION]), "image_id"]
    hashes = splits.loc[splits["image_id"].isin(trained) | (splits["split"] == LEFT_OUT), "phash"]
    others = set(splits.loc[splits["split"] != EVALUATION, "image_id"])
    parts = [pd.DataFrame({"image_id": [], "day": [], "row": []})]
    for day, labels in judged.loc[judged["day"] != "", "day"].value_counts().sort_index().items():
        keys = store.keys.day(date.fromisoformat(str(day)))
        if not store.storage.exists(keys.features):
            continue
        ids = store.storage.read_arrow(keys.features, ["image_id"])["image_id"].to_pylist()
        manifest = store.storage.read_table(keys.manifest)
        known = manifest.drop_duplicates("image_id").set_index("image_id")["phash"]
        rows = pd.DataFrame({"image_id": ids, "day": day, "row": np.arange(len(ids))})
        rows = rows[~rows["image_id"].isin(others) & ~rows["image_id"].str.startswith(FORGOTTEN)]
        rows = rows.sort_values("image_id")
        rows = rows.head(round(most * labels / (judged["day"] != "").sum()))
        if len(rows) and len(hashes):
            rows = rows[~near_any(rows["image_id"].map(known), hashes)]
        parts.append(rows)
    return pd.concat(parts, ignore_index=True).astype({"row": "int64"})


def inputs_of(store: MonitorStore, rows: pd.DataFrame) -> Iterator[np.ndarray]:
    """The model's inputs of the rows of `images_of_days`, uint8 [n, h, w, 3], a few hundred at a time."""
    for day, of_day in rows.groupby("day", sort=False):
        inputs = DayInputs(store.day(date.fromisoformat(str(day))))
        for start in range(0, len(of_day), _AT_ONCE):
            yield inputs.take(of_day["row"].iloc[start : start + _AT_ONCE].tolist())
