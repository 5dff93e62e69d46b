"""The features of several days' images, as a reference is made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from driftwatch.drift.against_reference import with_clusters
from driftwatch.drift.decoding import features_of
from driftwatch.drift.reference import MAX_REFERENCE

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.artifacts.store import MonitorStore


def features_of_days(store: MonitorStore, days: Sequence[date]) -> tuple[pd.DataFrame, frozenset[int]]:
    """The features, with the columns that tell which images are alike; and in which ways those of large images were made, none where no
    image is large.

    Of large days a seeded sample, four times as many images in all as a reference keeps: some are near-duplicates.
    """
    most = math.ceil(4 * MAX_REFERENCE / max(len(days), 1))
    tables: list[pd.DataFrame] = []
    ways: set[int] = set()
    for day in map(store.day, days):
        table, decoding = features_of(day)
        if decoding is not None:
            ways.add(decoding)
        if len(table) > most:
            table = table.sample(most, random_state=store.config.profiling.seed).sort_index()
        tables.append(with_clusters(day, table.reset_index(drop=True)))
    return pd.concat(tables, ignore_index=True), frozenset(ways)
