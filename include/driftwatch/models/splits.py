"""Splits: which images train a model and which judge it. This is decided once for each image and written to training/splits.parquet. That
file only grows.

Images are decided on in batches, in a fixed order. First comes the original set, when it is taken in. Then come the labelled days of each
retraining, by date. A day that is labelled later comes after those in the file.

In each batch, images that are near-duplicates of one another (driftwatch.images.near_duplicates) form a cluster and stay together:

- If the cluster is near to known images of one split, it takes that split.
- If it is near to images of two splits, it is left out of all splits.
- If it is near to none, the hash of its smallest image id decides. On labelled days the hash alone decides. In the original set, the
  cluster's place by hash among the clusters of its class decides, so that each class has its share in the holdout.

So no model is trained on an image that judges it, or on a picture like it, whatever day the picture comes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import AbstractContextManager

import numpy as np
import pandas as pd

from driftwatch.artifacts.nested_keys import lock_of
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.images.near_duplicates import MAX_DISTANCE, distances, near_duplicate_clusters
from driftwatch.storage.lock import Lock, exclusive

TRAIN, VALIDATION, EVALUATION = SPLITS = ("train", "validation", "evaluation")
LEFT_OUT = "left_out"
VALIDATION_SHARE = 0.05
COLUMNS = ["image_id", "phash", "split", "day"]
_ROWS_AT_ONCE = 512


def split_of(name: str, evaluation_share: float) -> str:
    """train, validation or evaluation, by the hash of a cluster's name.

    The lowest hashes are evaluation and the highest are validation. So a larger `evaluation_share` takes images from training, and those
    that are already for evaluation stay there.
    """
    place = _place(name)
    if place < evaluation_share:
        return EVALUATION
    return VALIDATION if place >= 1 - VALIDATION_SHARE else TRAIN


def splits_lock(store: MonitorStore) -> AbstractContextManager[Lock]:
    """The lock that is held from reading the splits to writing them. So an image gets one split, even if two processes decide at once."""
    return exclusive(store.storage, lock_of(store.keys.splits))


def _place(name: str) -> float:
    digest = hashlib.sha256(f"driftwatch split {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def known_splits(store: MonitorStore) -> pd.DataFrame:
    """Every image that was decided on, in the order of the decisions: image_id, phash, split, day ("" for the original set)."""
    if store.storage.exists(store.keys.splits):
        return store.storage.read_table(store.keys.splits)
    return pd.DataFrame({column: pd.Series(dtype=object) for column in COLUMNS})


def decide_splits(known: pd.DataFrame, batch: pd.DataFrame, evaluation_share: float, day: str = "") -> pd.DataFrame:
    """`known` with a row added for each image of `batch` (image_id, phash) that it lacks. The same arguments give the same rows.

    If `batch` has a column `label`, about `evaluation_share` of the images of each class are for evaluation; known images count too. If a
    class has two clusters or more, at least one of them is for evaluation.
    """
    new = batch.loc[~batch["image_id"].isin(known["image_id"])]
    new = new.drop_duplicates("image_id").sort_values("image_id", ignore_index=True)
    if new.empty:
        return known
    clusters = pd.Series(near_duplicate_clusters(new["phash"].tolist()))
    near = pd.DataFrame(
        {split: near_any(new["phash"], known.loc[known["split"] == split, "phash"]) for split in SPLITS}
    )
    near = near.groupby(clusters).any()
    named = new["image_id"].groupby(clusters).first()  # the smallest id, since the ids are sorted
    of_cluster = near.idxmax(axis=1).where(near.sum(axis=1) == 1, LEFT_OUT)
    hashed = named.map(lambda name: split_of(name, evaluation_share))
    of_cluster = of_cluster.where(near.any(axis=1), hashed)
    if "label" in batch:
        fixed = pd.concat([known, new.assign(split=clusters.map(of_cluster.where(near.any(axis=1))))])
        decided = batch["image_id"].map(fixed.set_index("image_id")["split"])
        labels = new["label"].groupby(clusters).first()
        free = pd.DataFrame({"name": named, "images": clusters.value_counts()})[~near.any(axis=1)]
        for label, of_label in free.groupby(labels):
            of_cluster.update(_share_out(of_label, decided[batch["label"] == label].value_counts(), evaluation_share))
    added = new.assign(split=clusters.map(of_cluster), day=day)[COLUMNS]
    return pd.concat([known, added], ignore_index=True)


def _share_out(clusters: pd.DataFrame, decided: pd.Series, evaluation_share: float) -> pd.Series:
    """The split of each new cluster of a class. `clusters` has their names and numbers of images; `decided` the known images by split. As by
    the hash, the lowest are for evaluation and the highest for validation, until each split has its share."""
    total = int(clusters["images"].sum() + decided.sum())
    ordered = clusters.assign(place=clusters["name"].map(_place)).sort_values("place")
    found = pd.Series(TRAIN, index=ordered.index)
    for split, share, rows in (
        (EVALUATION, evaluation_share, ordered),
        (VALIDATION, VALIDATION_SHARE, ordered.iloc[::-1]),
    ):
        images, wanted = int(decided.get(split, 0)), share * total
        for index, size in rows["images"].items():
            # A cluster is taken only if it brings the share nearer. So a large one is not taken where only a few images are missing.
            if found[index] == TRAIN and images + size / 2 <= wanted:
                found[index], images = split, images + size
        if split == EVALUATION and not images and len(rows) + int(decided.get(TRAIN, 0)) > 1:
            found[rows["images"].idxmin()] = EVALUATION
    return found


def refuse_missing(table: pd.DataFrame, classes: Iterable[str], root: str) -> None:
    """Raises an error that names every class without an image to train on or to judge by. Near-duplicates stay together, so a class of
    near-duplicates alone has only one of these splits."""
    lacking = []
    for name in classes:
        rows = table[table["label"] == name]
        missing = [split for split in (TRAIN, EVALUATION) if not (rows["split"] == split).any()]
        if missing:
            different = len(set(near_duplicate_clusters(rows["phash"].tolist()))) if len(rows) else 0
            more = max(2 - different, len(missing))
            lacking.append(
                f"{name} (none for {' and '.join(missing)}; {len(rows)} images, {different} different: at least {more} more)"
            )
    if lacking:
        raise NeedsAttention(
            f"{root}: {len(lacking)} classes have no usable image to train on or to judge by, as near-duplicates count once: "
            f"{', '.join(lacking)}. Put labelled images there that differ from these (at least about 30 a class; a few hundred make a usable model)"
        )


def near_any(hashes: pd.Series, others: pd.Series) -> np.ndarray:
    """Whether each of `hashes` is a near-duplicate of any of `others`: bool [n]."""
    ours, theirs = hashes.tolist(), others.tolist()
    parts = [
        (distances(ours[start : start + _ROWS_AT_ONCE], theirs) <= MAX_DISTANCE).any(axis=1)
        for start in range(0, len(ours), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)
