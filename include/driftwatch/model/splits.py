"""Which images train a model and which judge it: decided once for each image, near-duplicates together, and written down.

The decision is kept in training/splits.parquet, which only ever grows. Images are looked at in a fixed order: the original set
when it is taken in, then each retraining's labelled days by date; a day that is labelled later, such as a backfilled one, comes
after those that are in the file. In each of these batches images that are near-duplicates of one another (driftwatch.images.
near_duplicates) stay together: the cluster takes the split of the known images that it is near to, and where it is near to none,
the split by the hash of its smallest image id. Where it is near to images of two splits it is left out of all of them. So an
image that a model is judged by, or a picture like it, is never trained on, whichever day it comes on.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager

import numpy as np
import pandas as pd

from driftwatch.images.near_duplicates import MAX_DISTANCE, distances, near_duplicate_clusters
from driftwatch.layout import MonitorLayout
from driftwatch.lock import Lock, exclusive
from driftwatch.storage import Storage

TRAIN, VALIDATION, EVALUATION = SPLITS = ("train", "validation", "evaluation")
LEFT_OUT = "left_out"
VALIDATION_SHARE = 0.05
COLUMNS = ["image_id", "phash", "split", "day"]
_ROWS_AT_ONCE = 512


def split_of(name: str, evaluation_share: float) -> str:
    """train, validation or evaluation, by the hash of a cluster's name.

    The hash's lower end is evaluation and its upper end validation, so that a larger `evaluation_share` takes images from
    training and moves none of those kept for evaluation.
    """
    digest = hashlib.sha256(f"driftwatch split {name}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < evaluation_share:
        return EVALUATION
    return VALIDATION if place >= 1 - VALIDATION_SHARE else TRAIN


def splits_lock(storage: Storage, layout: MonitorLayout) -> AbstractContextManager[Lock]:
    """Held from reading the splits to writing them: an image that two decide on at once gets one split."""
    return exclusive(storage, f"{layout.splits}.lock")


def known_splits(storage: Storage, layout: MonitorLayout) -> pd.DataFrame:
    """Every image that was decided on, in that order: image_id, phash, split, day ("" for the original set)."""
    if storage.exists(layout.splits):
        return storage.read_table(layout.splits)
    return pd.DataFrame({column: pd.Series(dtype=object) for column in COLUMNS})


def decide_splits(known: pd.DataFrame, batch: pd.DataFrame, evaluation_share: float, day: str = "") -> pd.DataFrame:
    """`known` with a row added for each image of `batch` (image_id, phash) that it lacks. The same arguments give the same rows."""
    new = batch.loc[~batch["image_id"].isin(known["image_id"]), ["image_id", "phash"]]
    new = new.drop_duplicates("image_id").sort_values("image_id", ignore_index=True)
    if new.empty:
        return known
    clusters = pd.Series(near_duplicate_clusters(new["phash"].tolist()))
    near = pd.DataFrame({split: _near(new["phash"], known.loc[known["split"] == split, "phash"]) for split in SPLITS})
    near = near.groupby(clusters).any()
    named = new["image_id"].groupby(clusters).first()  # the smallest, since they are sorted
    of_cluster = near.idxmax(axis=1).where(near.sum(axis=1) == 1, LEFT_OUT)
    hashed = named.map(lambda name: split_of(name, evaluation_share))
    of_cluster = of_cluster.where(near.any(axis=1), hashed)
    return pd.concat([known, new.assign(split=clusters.map(of_cluster), day=day)[COLUMNS]], ignore_index=True)


def _near(hashes: pd.Series, others: pd.Series) -> np.ndarray:
    """Whether each of `hashes` is a near-duplicate of any of `others`: bool [n]."""
    ours, theirs = hashes.tolist(), others.tolist()
    parts = [
        (distances(ours[start : start + _ROWS_AT_ONCE], theirs) <= MAX_DISTANCE).any(axis=1)
        for start in range(0, len(ours), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)
