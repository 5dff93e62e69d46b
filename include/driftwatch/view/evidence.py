"""Evidence in pictures: each changed image of a day beside a normal one that is alike in all that did not change (`evidence_usual`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.drift import DayDrift, FeatureDrift
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_images import SEGMENT, by_table, day_images
from driftwatch.view.evidence_usual import TRAINING_DAY, neighbours, spread, usual_images
from driftwatch.view.numbers import digits
from driftwatch.view.words import direction, feature_name

if TYPE_CHECKING:
    import pandas as pd

PAIRS_A_PAGE = 12
# What lies further away, in standard deviations, counts as no further: an example is typical, not extreme.
_FAR = 3.0


@dataclass(frozen=True)
class Asked:
    """Which images are wanted; empty where all are. `segment`: as in `camera=door-17`; `answer`: right or wrong; `page`: from 1."""

    feature: str = ""
    label: str = ""
    segment: str = ""
    answer: str = ""
    page: int = 1


@dataclass(frozen=True)
class Shown:
    """One image of a pair. `day`: YYYY-MM-DD, or TRAINING_DAY; `key`: of its file; `note`: what was said of it; `values`: by feature."""

    day: str
    image_id: str
    key: str
    note: str
    values: Mapping[str, float]

    @property
    def name(self) -> str:
        return file_name(self.key)


@dataclass(frozen=True)
class Moved:
    """A feature of a changed image that lies outside of the usual range, 5 to 95 %. `usual`: that of its neighbour, None without one."""

    name: str
    looks: str
    value: str
    usual: str | None
    range: str


@dataclass(frozen=True)
class Pair:
    """A changed image and its normal neighbour; None where no normal image has its predicted class."""

    changed: Shown
    usual: Shown | None
    moved: tuple[Moved, ...]


@dataclass(frozen=True)
class Pairs:
    """A page of pairs, the most changed first. `found`: how many images fit what was asked; `about`: where the neighbours are from."""

    pairs: tuple[Pair, ...]
    found: int
    page: int
    pages: int
    about: str


def pairs(
    artifacts: Artifacts, drift: DayDrift, table: pd.DataFrame, asked: Asked, a_page: int = PAIRS_A_PAGE
) -> Pairs:
    """The page of pairs that is asked for; the last one instead of a page beyond it. `table`: `day_images` of the day of `drift`, light or whole, with
    its features."""
    rows = _asked_for(table, asked)
    moved = _moved(drift, asked)
    order = np.lexsort((rows["image_id"].str[:8].to_numpy("S8"), -_distance(rows, moved).round(6)))
    pages = max(1, -(-len(rows) // a_page))
    page = min(max(1, asked.page), pages)
    chosen = _whole(artifacts, drift.day, rows.iloc[order[(page - 1) * a_page : page * a_page]])
    usual, about = usual_images(artifacts, drift.day)
    who = _who_labelled(artifacts)
    near = neighbours(chosen, usual, _stayed(drift, moved, rows))
    found = tuple(
        _pair(artifacts.config.name, drift, row, neighbour, who)
        for (_, row), neighbour in zip(chosen.iterrows(), near, strict=True)
    )
    return Pairs(found, len(rows), page, pages, about)


def pair_of(artifacts: Artifacts, drift: DayDrift, row: pd.Series) -> Pair:
    """One image of the day of `drift`, a row of `day_images`, with its normal neighbour."""
    import pandas as pd

    usual, _ = usual_images(artifacts, drift.day)
    alone = pd.DataFrame([row])
    (neighbour,) = neighbours(alone, usual, _stayed(drift, (), alone))
    return _pair(artifacts.config.name, drift, row, neighbour, _who_labelled(artifacts))


def _who_labelled(artifacts: Artifacts) -> Callable[[str], str]:
    """`people` or `table` by day; looked up once for each."""
    return cache(
        lambda day: "table" if day != TRAINING_DAY and by_table(artifacts, date.fromisoformat(day)) else "people"
    )


def _asked_for(table: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    wanted = np.ones(len(table), bool)
    for column, value in (("prediction", asked.label), ("answer", asked.answer)):
        if value:
            wanted &= (table[column] == value).to_numpy()
    by, _, name = asked.segment.partition("=")
    if by:
        column = f"{SEGMENT}{by}"
        wanted &= (table[column].astype(object) == name).to_numpy() if column in table else False
    return table if wanted.all() else table[wanted]


def _whole(artifacts: Artifacts, day: date, chosen: pd.DataFrame) -> pd.DataFrame:
    """The chosen images with all that is known of them: of a large day that was not read before they were chosen."""
    ids = chosen["image_id"].tolist()
    found = None if "key" in chosen else day_images(artifacts, day, ids)
    return chosen if found is None else found.set_index("image_id", drop=False).loc[ids]


def _moved(drift: DayDrift, asked: Asked) -> list[FeatureDrift]:
    """The features by which images count as changed: the one that is asked for, those that drifted in the segment, those that drifted on
    the day, or all of them."""
    if asked.feature:
        return [row for row in drift.features if row.feature == asked.feature]
    ways = {
        found.feature: found.direction
        for segment in drift.segments_that("drifted")
        if f"{segment.by}={segment.name}" == asked.segment
        for found in segment.features
    }
    of_segment = [
        row.model_copy(update={"verdict": "drifted", "direction": ways[row.feature]})
        for row in drift.features
        if row.feature in ways
    ]
    return of_segment or [row for row in drift.features if row.verdict == "drifted"] or list(drift.features)


def _stayed(drift: DayDrift, moved: Sequence[FeatureDrift], rows: pd.DataFrame) -> list[FeatureDrift]:
    changed = {row.feature for row in moved if row.verdict == "drifted"}
    return [
        row
        for row in drift.features
        if row.verdict != "drifted" and row.feature not in changed and row.feature in rows.columns
    ]


def first_asked(drift: DayDrift) -> Asked:
    """What shows the day's change best: all its images, or those of the segment that drifted most where the day as a whole did not."""
    changed = drift.segments_that("drifted")
    if drift.whole == "drifted" or not changed:
        return Asked()
    return Asked(segment=f"{changed[0].by}={changed[0].name}")


def _distance(rows: pd.DataFrame, moved: Sequence[FeatureDrift]) -> np.ndarray:
    """How far each image lies in the direction of the change, all moved features added up. Where a feature has no direction, either way
    counts."""
    total = np.zeros(len(rows))
    for row in (row for row in moved if row.feature in rows):
        away = (rows[row.feature].to_numpy(float) - row.reference_quantiles[2]) / spread(row)
        sign = {"up": 1, "down": -1}.get(row.direction, 0) if row.verdict == "drifted" else 0
        total += np.nan_to_num(np.clip(sign * away if sign else np.abs(away), -_FAR, _FAR))
    return total


def _pair(monitor: str, drift: DayDrift, row: pd.Series, usual: pd.Series | None, who: Callable[[str], str]) -> Pair:
    changed = _shown(monitor, drift, row, drift.day.isoformat(), who)
    beside = None if usual is None else _shown(monitor, drift, usual, str(usual["day"]), who)
    moved = [
        Moved(
            feature_name(feature.feature),
            _looks(feature, changed.values[feature.feature]),
            digits(changed.values[feature.feature]),
            digits(beside.values[feature.feature]) if beside and feature.feature in beside.values else None,
            f"{digits(feature.reference_quantiles[0])} to {digits(feature.reference_quantiles[-1])}",
        )
        for feature in drift.features
        if _outside(feature, changed.values)
    ]
    return Pair(changed, beside, tuple(moved))


def _outside(feature: FeatureDrift, values: Mapping[str, float]) -> bool:
    low, high = feature.reference_quantiles[0], feature.reference_quantiles[-1]
    return feature.feature in values and not low <= values[feature.feature] <= high


def _looks(feature: FeatureDrift, value: float) -> str:
    """What the value looks like in the picture, beside what is usual."""
    way = "up" if value > feature.reference_quantiles[2] else "down"
    return direction(feature.model_copy(update={"direction": way, "test": ""}))


def _shown(monitor: str, drift: DayDrift, row: pd.Series, day: str, who: Callable[[str], str]) -> Shown:
    values = {each.feature: float(row[each.feature]) for each in drift.features if each.feature in row.index}
    return Shown(day, str(row["image_id"]), own_key(monitor, str(row["key"])), said_of(row, who(day)), values)


def said_of(row: pd.Series, who: str) -> str:
    """What the model said of an image, and `who` labelled it: `model: cat, people: dog`. A training image has its label alone."""
    of_training = row.get("day") == TRAINING_DAY
    said = {"" if of_training else "model: ": row.get("prediction"), f"{who}: ": row.get("label")}
    known = [f"{speaker}{what}" for speaker, what in said.items() if isinstance(what, str)]
    return f"labelled {known[0]}" if of_training else ", ".join(known)
