"""How the features of large images were made (`OfFeatures`): what was made in two ways is never compared.

Where no image is large there is one way only, and `decoding` is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.reference import ReferenceSettings
from driftwatch.images.judged import judged_features
from driftwatch.images.picture import DECODING, any_large

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore, MonitorStore

_SIZE = ["image.ImagePixelWidth", "image.ImagePixelHeight"]


def decoding_where_large(features: pd.DataFrame, decoding: int) -> int | None:
    """`decoding`, of a table with an image for which it makes a difference."""
    if not set(_SIZE) <= set(features.columns):
        return None
    return decoding if any_large(*(features[name] for name in _SIZE)) else None


def comparable(ours: int | None, theirs: int | None) -> bool:
    return ours is None or theirs is None or ours == theirs


def features_of(day: DayStore) -> tuple[pd.DataFrame, int | None]:
    """The day's features, and how those of large images were made."""
    table = judged_features(day)
    return table, _decoding_of(day, table)


def decoding_of(day: DayStore) -> int | None:
    """How the day's features of large images were made."""
    return _decoding_of(day, judged_features(day, _SIZE))


def _decoding_of(day: DayStore, table: pd.DataFrame) -> int | None:
    if decoding_where_large(table, DECODING) is None:
        return None
    found = day.find(Ingest)
    return found.decoding if found else 1


def decoding_for(store: MonitorStore, version: str) -> int:
    """How a day that model `version` will judge has to be taken in: as the reference that it will be compared with was. One of an earlier
    Driftwatch with large images has those decoded whole; a set that is taken in again gives a new one."""
    settings = store.find(store.keys.reference(version), ReferenceSettings)
    if settings is None or settings.decoding == DECODING:
        return DECODING
    table = store.storage.read_table(store.keys.reference_features(version))
    return decoding_where_large(table, settings.decoding) or DECODING
