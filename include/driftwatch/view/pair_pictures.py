"""Pairs as pictures: by their addresses on the pages, within the file in the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from driftwatch.errors import ChangedImage
from driftwatch.images.headers import RejectedImage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_images import day_images, features_of
from driftwatch.view.evidence import Moved, Pair, Shown, first_asked, pairs
from driftwatch.view.evidence_usual import TRAINING_DAY
from driftwatch.view.own_pictures import large_picture
from driftwatch.view.pictures import Picture, data_uri

if TYPE_CHECKING:
    from driftwatch.artifacts.drift import DayDrift
    from driftwatch.artifacts.store import DayStore

# The report is one file that is sent by mail. Pairs beyond these many bytes are left out.
MOST_PAIRS, MOST_BYTES = 6, 700_000
_SIDE = 320  # pixels of the longer side


@dataclass(frozen=True)
class ShownPair:
    """A pair as it is drawn. `usual` is None where there is no normal image to compare with."""

    changed: Picture
    usual: Picture | None
    moved: tuple[Moved, ...]


def with_addresses(pair: Pair, address: Callable[[Shown], str]) -> ShownPair:
    """The pair for a page. `address`: of an image's own page, ending with a slash; the picture lies below it."""

    def picture(of: Shown) -> Picture:
        return Picture(f"{address(of)}view.jpg", of.name, note(of), address(of))

    return ShownPair(picture(pair.changed), picture(pair.usual) if pair.usual else None, pair.moved)


def note(of: Shown) -> str:
    """Below a picture: the day it is from, and what was said of it."""
    where = "training image" if of.day == TRAINING_DAY else of.day
    return f"{where}\n{of.note}" if of.note else where


def first_pairs(artifacts: Artifacts, day: date, drift: DayDrift | None) -> tuple[Pair, ...]:
    """The first MOST_PAIRS pairs of a day that drifted."""
    table = day_images(artifacts, day, light=True) if drift is not None and drift.verdict == "drifted" else None
    if drift is None or table is None or not features_of(table):
        return ()
    return pairs(artifacts, drift, table, first_asked(drift), MOST_PAIRS).pairs


def in_report(day: DayStore, drift: DayDrift | None) -> list[ShownPair]:
    """The pairs of a day that drifted, each picture as a data URI: at most MOST_PAIRS, and MOST_BYTES. An image whose file is gone or changed
    is left out, with its pair."""
    found: list[ShownPair] = []
    weight = 0
    for pair in first_pairs(Artifacts(day.monitor), day.date, drift):
        try:
            drawn = ShownPair(_drawn(day, pair.changed), _drawn(day, pair.usual) if pair.usual else None, pair.moved)
        except (ChangedImage, RejectedImage):
            continue
        weight += sum(len(picture.src) for picture in (drawn.changed, drawn.usual) if picture)
        if weight > MOST_BYTES:
            break
        found.append(drawn)
    return found


def _drawn(day: DayStore, of: Shown) -> Picture:
    return Picture(data_uri(large_picture(day.monitor, of.image_id, of.key, _SIDE)), of.name, note(of))
