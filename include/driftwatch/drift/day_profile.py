"""The day's whylogs profile, and what tells its values from others, of a day of any size.

A day of at most EXACT_ROWS images is profiled at once: the same rows give the same bytes. Of a larger day in shards each shard's task
profiles its own rows, and the parts are merged. Where there are no parts the rows are read piece by piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.ingest import Ingest
from driftwatch.drift.value_sums import SUMS, hash_of_sums, value_sums
from driftwatch.drift.whylogs_bytes import serialized
from driftwatch.drift.whylogs_profiles import (
    EXACT_ROWS,
    content_hash,
    feature_profile,
    makes_profiles,
    merge_views,
    profile_of_pieces,
    read_profile,
)
from driftwatch.images.features import COLUMNS
from driftwatch.images.inputs import DayInputs
from driftwatch.images.judged import is_sampled
from driftwatch.images.shard_files import of_the_day, shard_file
from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore
    from driftwatch.images.shards import Shard

_AT_ONCE = 16  # objects of some kB
PARTS = _PROFILE, _SUMS = "profile.bin", "sums.npy"


class DayProfile(NamedTuple):
    """`content_hash`: None where it is to be made from all values (`whylogs_profiles.content_hash`)."""

    payload: bytes
    content_hash: str | None


def profile_shard(day: DayStore, shard: Shard) -> int:
    """Writes a shard's part of the day's profile, which `day_profile` merges. Returns how many images it is about: 0 where the day
    is small enough to be profiled at once, or nothing is profiled."""
    if not makes_profiles(day.config.publish.sinks) or day.read(Ingest).accepted <= EXACT_ROWS:
        return 0
    sums = np.zeros((len(COLUMNS), 1 + SUMS), np.uint64)
    inputs = DayInputs(day)
    first, last = inputs.span(shard.blocks)
    of_profile, of_sums = (shard_file(day, inputs, shard, name) for name in PARTS)
    if first < last:
        day.storage.write_bytes(of_profile, profile_of_pieces(_adding_up(day, first, last, sums), day.date))
    day.storage.write_array(of_sums, sums)  # last: with it the part is whole
    return last - first


def day_profile(day: DayStore, features: pd.DataFrame) -> DayProfile:
    """The day's profile; `features`: those of the images that the day is judged by. Raises ProfileError as `feature_profile` does."""
    if len(features) > EXACT_ROWS and (parts := _parts(day)):
        sums = _added_up(day, parts)
        keys = [key for key in parts if key.endswith(_PROFILE)]
        payload = serialized(merge_views(read_profile(part.data) for part in day.storage.iter_bytes(keys)))
    elif is_sampled(day):
        sums = np.zeros((len(COLUMNS), 1 + SUMS), np.uint64)
        payload = profile_of_pieces(_adding_up(day, 0, None, sums), day.date)
    else:
        return DayProfile(feature_profile(features.drop(columns="image_id"), day.date), None)
    return DayProfile(payload, hash_of_sums(list(COLUMNS), sums) if is_sampled(day) else None)


def remove_parts(day: DayStore, judged: int) -> None:
    """Removes the parts that shards have left, when the profile is written. Sums go first: without them a part counts for nothing.
    `judged`: how many images the day is judged by. A day that was profiled at once has no parts, and nothing is looked for."""
    if judged <= EXACT_ROWS:
        return
    left = _left(day)
    for name in (_SUMS, _PROFILE):
        day.storage.delete_all([key for key in left if key.endswith(name)])


def hash_of_day(day: DayStore) -> str:
    """What tells the content of the day's profile from another, for the upload ledger."""
    drift = day.find(DayDrift)
    if drift is not None and drift.content_hash is not None:
        return drift.content_hash
    if not is_sampled(day):
        return content_hash(day.storage.read_table(day.keys.features).drop(columns="image_id"))
    sums = np.zeros((len(COLUMNS), 1 + SUMS), np.uint64)
    for _ in _adding_up(day, 0, None, sums):
        pass
    return hash_of_sums(list(COLUMNS), sums)


def _adding_up(day: DayStore, first: int, last: int | None, sums: np.ndarray) -> Iterator[pd.DataFrame]:
    """The features of these rows piece by piece. `sums` gets their sums."""
    for piece in pieces(day.storage, day.keys.features, COLUMNS, first, last):
        features = piece.to_pandas()
        sums += value_sums(features)
        yield features


def _left(day: DayStore) -> list[str]:
    return [item.key for item in day.storage.list(day.keys.shards) if item.key.endswith(PARTS)]


def _parts(day: DayStore) -> list[str]:
    """What the shards have left, where it is about every image of the day once; else nothing."""
    left = _left(day)
    inputs = DayInputs(day) if left else None
    sums = of_the_day(inputs, [key for key in left if key.endswith(_SUMS)]) if inputs else []
    if not sums or int(_added_up(day, sums)[0, 0]) != day.read(Ingest).accepted:
        return []
    return [*sums, *sorted({f"{key.removesuffix(_SUMS)}{_PROFILE}" for key in sums}.intersection(left))]


def _added_up(day: DayStore, parts: Sequence[str]) -> np.ndarray:
    sums = np.zeros((len(COLUMNS), 1 + SUMS), np.uint64)
    return sum(day.storage.iter_arrays([key for key in parts if key.endswith(_SUMS)], _AT_ONCE), sums)
