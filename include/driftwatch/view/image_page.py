"""All that is known of one image: what it looks like in numbers, what the model and people or a table said, its segments, and images like it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.images.near_duplicates import MAX_DISTANCE, distances
from driftwatch.models.original_set import set_keys
from driftwatch.view.day_images import SCORE, SEGMENT, VOTES, by_table, day_images, features_of, lists_a_sample
from driftwatch.view.evidence import Pair, pair_of
from driftwatch.view.evidence_usual import TRAINING_DAY, training_images
from driftwatch.view.large_tables import read_table, read_whole, rows_of
from driftwatch.view.numbers import digits
from driftwatch.view.shares import whole_percent
from driftwatch.view.words import feature_name

if TYPE_CHECKING:
    from driftwatch.view.artifacts import Artifacts

MOST_SCORES, MOST_LIKE = 6, 12


@dataclass(frozen=True)
class FeatureValue:
    """One feature of the image. `usual`: the range from 5 to 95 % of the reference, empty where none is known; `outside`: whether it lies
    beyond that."""

    column: str
    name: str
    value: str
    usual: str
    outside: bool


@dataclass(frozen=True)
class Score:
    """How sure the model was of one class."""

    name: str
    share: str
    width: int
    """The share in whole percent, 0 to 100."""
    answered: bool


@dataclass(frozen=True)
class ImagePage:
    """`place`: YYYY-MM-DD or TRAINING_DAY. `facts`: name and value. `votes`: answer and how many people gave it. `more_scores`: how many classes
    are not shown. `like`: ids of near-duplicates of the day, of a `like_sample` where the pages list one; `copies`: names of files with the same bytes. `pair`: the image with its normal
    neighbour, None where it cannot be told."""

    place: str
    image_id: str
    key: str
    facts: list[tuple[str, str]]
    features: list[FeatureValue]
    scores: list[Score]
    more_scores: int
    votes: list[tuple[str, int]]
    like: list[str]
    like_sample: bool
    copies: list[str]
    pair: Pair | None

    @property
    def name(self) -> str:
        return file_name(self.key)


def find_image(artifacts: Artifacts, place: str, image_id: str) -> pd.Series | None:
    """The image's row, with its `key` as it is now; None where the place has no such image."""
    if place == TRAINING_DAY:
        table: pd.DataFrame | None = training_images(artifacts)
    else:
        table = day_images(artifacts, date.fromisoformat(place), [image_id])
    rows = None if table is None else table[table["image_id"] == image_id]
    if rows is None or not len(rows):
        return None
    row = rows.iloc[0].copy()
    row["key"] = own_key(artifacts.config.name, str(row["key"]))
    return row


def image_key(artifacts: Artifacts, place: str, image_id: str) -> str | None:
    """The key of the image's file as it is now; None where the place has no such image. Reads less than `find_image`: a page asks for many
    pictures."""
    if place == TRAINING_DAY:
        rows = artifacts.get(set_keys(artifacts.store).table, read_whole)
    else:
        rows = artifacts.get(_day(artifacts, place).manifest, read_table)
    found = None if rows is None else rows_of(rows, ["image_id", "key", "status"], [image_id])
    if found is not None and "status" in found:
        found = found[found["status"] == "accepted"]
    return None if found is None or not len(found) else own_key(artifacts.config.name, str(found["key"].iloc[0]))


def image_page(artifacts: Artifacts, place: str, row: pd.Series) -> ImagePage:
    """The page of the image `row`, as `find_image` has it."""
    drift = None if place == TRAINING_DAY else artifacts.find(_day(artifacts, place).drift, DayDrift)
    scores = sorted(_scores(row, artifacts.config.classes), key=lambda score: (not score.answered, -score.width))
    table = place != TRAINING_DAY and by_table(artifacts, date.fromisoformat(place))
    like, copies = ([], []) if place == TRAINING_DAY else _alike(artifacts, place, row)
    return ImagePage(
        place=place,
        image_id=str(row["image_id"]),
        key=str(row["key"]),
        facts=_facts(row, place, table),
        features=_features(row, drift),
        scores=scores[:MOST_SCORES],
        more_scores=max(0, len(scores) - MOST_SCORES),
        votes=[] if table else _votes(row, artifacts.config.labels.unclear_answer or "unclear"),
        like=like,
        like_sample=place != TRAINING_DAY and lists_a_sample(artifacts, date.fromisoformat(place)),
        copies=copies,
        pair=pair_of(artifacts, drift, row) if drift and drift.features else None,
    )


def _day(artifacts: Artifacts, place: str) -> Any:
    return artifacts.keys.day(date.fromisoformat(place))


def _facts(row: pd.Series, place: str, table: bool) -> list[tuple[str, str]]:
    facts = [("Where from", "the training images" if place == TRAINING_DAY else f"the images of {place}")]
    if _known(row, "width"):
        facts.append(("Size", f"{int(row['width'])} × {int(row['height'])} pixels, {int(row['bytes']):,} bytes"))
    if place != TRAINING_DAY:
        facts.append(("The model said", _text(row, "prediction") or "nothing yet"))
        who = "The table said" if table else "People said"
        facts.append((who, _text(row, "label") or _unlabelled(row, table)))
        facts += [("Model version", _text(row, "model_version"))] if _known(row, "model_version") else []
    else:
        facts.append(("Label", _text(row, "label")))
    facts += [
        (name.removeprefix(SEGMENT), _text(row, name) or "not known") for name in row.index if name.startswith(SEGMENT)
    ]
    return facts


def _unlabelled(row: pd.Series, table: bool) -> str:
    if table:
        unclear = _text(row, "status") == "unclear"
        return "unclear: no label" if unclear else "nothing: it has no label of this image, or has not come"
    status = {"tie": "a tie: no label", "unclear": "unclear: no label", "unanswered": "nothing: nobody answered"}
    return status.get(_text(row, "status"), "nothing: it was not in the sample, or labelling has not ended")


def _known(row: pd.Series, name: str) -> bool:
    return name in row.index and not pd.isna(row[name])


def _text(row: pd.Series, name: str) -> str:
    return str(row[name]) if _known(row, name) else ""


def _features(row: pd.Series, drift: DayDrift | None) -> list[FeatureValue]:
    ranges = {found.feature: found.reference_quantiles for found in drift.features} if drift else {}
    rows = []
    for column in features_of(row.to_frame().T):
        if not _known(row, column):
            continue
        value, usual = float(row[column]), ranges.get(column)
        outside = usual is not None and not usual[0] <= value <= usual[-1]
        said = f"{digits(usual[0])} to {digits(usual[-1])}" if usual else ""
        rows.append(FeatureValue(column, feature_name(column), digits(value), said, outside))
    return sorted(rows, key=lambda found: not found.outside)


def _scores(row: pd.Series, classes: tuple[str, ...]) -> list[Score]:
    return [
        Score(name, whole_percent(float(row[f"{SCORE}{name}"])), round(100 * float(row[f"{SCORE}{name}"])), name == row["prediction"])
        for name in classes
        if _known(row, f"{SCORE}{name}")
    ]  # fmt: skip


def _votes(row: pd.Series, unclear: str) -> list[tuple[str, int]]:
    """Each answer that people gave, the most frequent first."""
    names = [name for name in row.index if name.startswith(VOTES) and _known(row, name) and int(row[name])]
    given = [(unclear if name == f"{VOTES}unclear" else name.removeprefix(VOTES), int(row[name])) for name in names]
    return sorted(given, key=lambda vote: -vote[1])


def _alike(artifacts: Artifacts, place: str, row: pd.Series) -> tuple[list[str], list[str]]:
    """The ids of the day's images that look nearly the same, the nearest first, and the names of files with the same bytes. Of a day whose pages
    list a sample the former are of the sample."""
    stored = artifacts.get(_day(artifacts, place).manifest, read_table)
    if stored is None:
        return [], []
    same = rows_of(stored, ["image_id", "key", "status"], [str(row["image_id"])])
    copies = [file_name(str(key)) for key in same[same["status"] == "duplicate"]["key"]][:MOST_LIKE]
    if not _known(row, "phash"):
        return [], copies
    if lists_a_sample(artifacts, date.fromisoformat(place)):
        stored = artifacts.get(_day(artifacts, place).judged, read_table)
    manifest = rows_of(stored, ["image_id", "status", "phash"]) if stored is not None else same.iloc[:0]
    others = manifest[
        (manifest["status"] == "accepted") & manifest["phash"].notna() & (manifest["image_id"] != row["image_id"])
    ]
    if not len(others):
        return [], copies
    apart = distances([str(row["phash"])], others["phash"].tolist())[0]
    near = others.assign(apart=apart)[apart <= MAX_DISTANCE].sort_values(["apart", "image_id"])
    return near["image_id"].tolist()[:MOST_LIKE], copies
