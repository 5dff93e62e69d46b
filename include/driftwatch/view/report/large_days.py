"""What a report needs of the tables of a day that is judged by a sample: they are read piece by piece, and only the rows that are told are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore

PLACE = "place"  # of an accepted image among the day's accepted images
_MOST_OF_STATUS = 1_000
_SHOWN = ("key", "image_id", "bytes", "status", "reason", "width", "height")


class Files(NamedTuple):
    """`manifest`: the rows of the images that are asked for, with their PLACE, and the first rows with a reason of each status; `with_reason`: how
    many rows have one."""

    manifest: pd.DataFrame
    with_reason: int


class Answers(NamedTuple):
    """`predictions`: the rows of the images that are asked for; `counts`: how many images of the whole day have each answer."""

    predictions: pd.DataFrame
    counts: dict[str, int]


def files_of(day: DayStore, image_ids: Collection[str]) -> Files:
    wanted, parts = pa.array([*image_ids], pa.string()), []
    told: Counter[str] = Counter()
    accepted = 0
    for piece in pieces(day.storage, day.keys.manifest, _SHOWN):
        is_accepted = pc.equal(piece["status"], "accepted")
        places = pc.subtract(pc.cumulative_sum(pc.cast(is_accepted, pa.int64())), 1 - accepted)
        accepted += pc.sum(is_accepted).as_py() or 0
        shown = pc.and_(is_accepted, pc.is_in(piece["image_id"], value_set=wanted))
        has_reason = pc.not_equal(piece["reason"], "")
        kept = piece.append_column(PLACE, places).filter(pc.or_(shown, has_reason)).to_pandas()
        number = kept[kept["reason"] != ""].groupby("status").cumcount().reindex(kept.index)
        early = number + kept["status"].map(told).fillna(0) < _MOST_OF_STATUS
        told.update(kept.loc[kept["reason"] != "", "status"].tolist())
        parts.append(kept[early | kept["image_id"].isin(image_ids)])
    return Files(pd.concat(parts, ignore_index=True), told.total())


def answers_of(day: DayStore, image_ids: Collection[str]) -> Answers:
    wanted, parts = pa.array([*image_ids], pa.string()), []
    counts: Counter[str] = Counter()
    columns = None if image_ids else ["image_id", "prediction", "model_version"]
    for piece in pieces(day.storage, day.keys.predictions, columns):
        counts.update({each["values"]: each["counts"] for each in pc.value_counts(piece["prediction"]).to_pylist()})
        parts.append(piece.filter(pc.is_in(piece["image_id"], value_set=wanted)).to_pandas())
    return Answers(pd.concat(parts, ignore_index=True), dict(counts))
