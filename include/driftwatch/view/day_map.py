"""The day's map for people: its points with what the model and people said of each, and which of them lie furthest from what is usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from driftwatch.artifacts.day_map import DayMap, MapPoints
from driftwatch.view.day_images import SEGMENT, segmentations
from driftwatch.view.evidence_usual import training_images
from driftwatch.view.shares import whole_percent
from driftwatch.view.words import count

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.view.artifacts import Artifacts

FURTHEST = 12


@dataclass(frozen=True)
class ShownPoints:
    """Some images: ids, places, and by the name of a colouring what each is; empty texts where that is not known."""

    images: Sequence[str]
    x: Sequence[float]
    y: Sequence[float]
    told: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class ShownMap:
    """`colourings`: what the points can be coloured by. `said`: the map in words. `furthest`: ids of the day's images that lie furthest from
    the middle of the reference, on this map."""

    of_day: ShownPoints
    of_reference: ShownPoints
    colourings: list[str]
    said: str
    furthest: list[str]


def shown_map(found: DayMap, images: pd.DataFrame, artifacts: Artifacts) -> ShownMap:
    """`images`: `day_images` of the day of the map."""
    divided = segmentations(images)
    columns = {
        "predicted class": "prediction",
        "right or wrong": "answer",
        **{name: f"{SEGMENT}{name}" for name in divided},
    }
    training = training_images(artifacts)
    of_day = _told(found.of_day, images, columns)
    of_reference = _told(found.of_reference, training, {"predicted class": "prediction"})
    colourings = [name for name in columns if any(of_day.told[name])]
    return ShownMap(of_day, of_reference, colourings, said_of_map(found), _furthest(found))


def _told(points: MapPoints, table: pd.DataFrame, columns: Mapping[str, str]) -> ShownPoints:
    rows = table.drop_duplicates("image_id").set_index("image_id").reindex(points.images)
    told = {
        name: [_text(value) for value in rows[column]] if column in rows else [""] * len(rows)
        for name, column in columns.items()
    }
    return ShownPoints(points.images, points.x, points.y, told)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def said_of_map(found: DayMap) -> str:
    """The map in words: what its points are, and how much of all differences it shows."""
    shown, usual = len(found.of_day.images), len(found.of_reference.images)
    sample = "" if shown == found.images else f", a random sample of {found.images:,}"
    first, second = map(whole_percent, found.shares)
    return (
        f"{count(shown, 'image')} of the day{sample}, and {count(usual, 'held-out image')} of model {found.reference_version}. Images lie near each other if the model finds them alike. The two directions show "
        f"{first} and {second} of all differences, so what lies together here may still differ."
    )


def _furthest(found: DayMap) -> list[str]:
    usual = np.array([found.of_reference.x, found.of_reference.y])
    spread = usual.std(axis=1, keepdims=True)
    away = (np.array([found.of_day.x, found.of_day.y]) - usual.mean(axis=1, keepdims=True)) / np.where(
        spread > 0, spread, 1.0
    )
    order = np.argsort(-np.square(away).sum(axis=0), kind="stable")[:FURTHEST]
    return [found.of_day.images[place] for place in order]
