"""Images of the days that judge a challenger, with a label or without. Both models answer them, which sharpens the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.images.inputs import DayInputs
from driftwatch.images.judged import is_sampled, told_of
from driftwatch.models.splits import EVALUATION, LEFT_OUT, TRAIN, VALIDATION, known_splits, near_any
from driftwatch.storage.tables import pieces

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
        of_day = store.day(date.fromisoformat(str(day)))
        if not store.storage.exists(of_day.keys.features):
            continue
        rows = _images(of_day).assign(day=day)[["image_id", "day", "row"]]
        rows = rows[~rows["image_id"].isin(others) & ~rows["image_id"].str.startswith(FORGOTTEN)]
        rows = rows.sort_values("image_id")
        rows = rows.head(round(most * labels / (judged["day"] != "").sum()))
        if len(rows) and len(hashes):
            told = told_of(of_day, of_day.keys.manifest, ["phash"], rows["image_id"].tolist())
            known = told.drop_duplicates("image_id").set_index("image_id")["phash"]
            rows = rows[~near_any(rows["image_id"].map(known), hashes)]
        parts.append(rows)
    return pd.concat(parts, ignore_index=True).astype({"row": "int64"})


def _images(day: DayStore) -> pd.DataFrame:
    """The ids of the day's accepted images, and the place of each among them. Of a day that is judged by a sample: of the sample, which are those with
    the smallest ids."""
    if not is_sampled(day):
        ids = day.storage.read_arrow(day.keys.features, ["image_id"])["image_id"].to_pylist()
        return pd.DataFrame({"image_id": ids, "row": np.arange(len(ids))})
    sample = day.storage.read_arrow(day.keys.judged, ["image_id"])["image_id"]
    places, start = [], 0
    for piece in pieces(day.storage, day.keys.features, ["image_id"]):
        places.append(start + np.flatnonzero(pc.is_in(piece["image_id"], value_set=sample.combine_chunks()).to_numpy()))
        start += len(piece)
    return pd.DataFrame({"image_id": sample.to_pylist(), "row": np.concatenate(places)})


def inputs_of(store: MonitorStore, rows: pd.DataFrame) -> Iterator[np.ndarray]:
    """The model's inputs of the rows of `images_of_days`, uint8 [n, h, w, 3], a few hundred at a time."""
    for day, of_day in rows.groupby("day", sort=False):
        inputs = DayInputs(store.day(date.fromisoformat(str(day))))
        for start in range(0, len(of_day), _AT_ONCE):
            yield inputs.take(of_day["row"].iloc[start : start + _AT_ONCE].tolist())
