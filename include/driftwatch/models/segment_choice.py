"""Retraining for some segments: which labels of a collected set are trained on, and how often each is drawn."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftwatch.images.segments import segments_of_day

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore


def segments_of(store: MonitorStore, table: pd.DataFrame) -> pd.DataFrame:
    """The segments of a set's rows (image_id and day, "" for the original set): a column for each segmentation of the monitor file, with the row's
    own index; None where it is in none. The original set is in none."""
    names = list(store.config.segments)
    found = pd.DataFrame(None, index=table.index, columns=names, dtype=object)
    for day, rows in table.groupby("day"):
        if day:
            asked = store.day(date.fromisoformat(str(day)))
            known = segments_of_day(asked, rows["image_id"].tolist()).set_index("image_id")
            found.loc[rows.index] = known.reindex(rows["image_id"])[names].to_numpy(object)
    return found.where(found.notna(), None)


def of_other_segments(store: MonitorStore, table: pd.DataFrame) -> np.ndarray:
    """Which rows of the labelled days are in none of the segments that `retraining.segments.only` names: bool [n]."""
    only = store.config.retraining.segments.only
    other = np.zeros(len(table), dtype=bool)
    if only:
        segments = segments_of(store, table)
        for by, names in only.items():
            other |= ~segments[by].isin(names).to_numpy(dtype=bool)
    return other & (table["day"] != "").to_numpy(dtype=bool)


def segment_weights(store: MonitorStore, table: pd.DataFrame, recent: np.ndarray) -> np.ndarray:
    """How much more often than others each row is drawn, by `retraining.segments.weights`. In each split it is 1 on average over the `recent`
    labels, and over the other labels of days, so that `recent_share` stays what it is."""
    weights = store.config.retraining.segments.weights
    found = np.ones(len(table))
    if not weights:
        return found
    segments = segments_of(store, table)
    for by, of_segment in weights.items():
        found *= segments[by].map(of_segment).astype(float).fillna(1.0).to_numpy()
    labels = (table["day"] != "").to_numpy(dtype=bool)
    for split in table["split"].unique():
        of_split = labels & (table["split"] == split).to_numpy(dtype=bool)
        for rows in (of_split & recent, of_split & ~recent):
            if rows.any():
                found[rows] /= found[rows].mean()
    return found
