"""The day's map as a still picture for the report, which has no script: a few bytes for each point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from driftwatch.artifacts.day_map import DayMap, MapPoints
from driftwatch.artifacts.drift import ContentDrift
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_images import WRONG, day_images
from driftwatch.view.day_map import said_of_map

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore

_WIDTH, _HEIGHT, _EDGE = 640, 380, 8


@dataclass(frozen=True)
class MapChart:
    """`drawn`: inline SVG; `said`: the map in words; `wrong`: how many of its points the model had wrong."""

    drawn: Markup
    said: str
    wrong: int


def in_report(day: DayStore, content: ContentDrift | None) -> MapChart | None:
    """The map of a day whose content changed; None of other days. Raises DamagedArtifact and PermissionError."""
    if content is None or content.content.verdict != "drifted":
        return None
    artifacts = Artifacts(day.monitor)
    found = artifacts.find(day.key(DayMap), DayMap)
    images = day_images(artifacts, day.date, found.of_day.images) if found else None
    if found is None or images is None:
        return None
    return map_chart(found, set(images.loc[images["answer"] == WRONG, "image_id"]))


def map_chart(found: DayMap, wrong: set[str]) -> MapChart:
    """The points of the reference, of the day, and those of the day that are in `wrong`, which lie on top."""
    of_day, answers = found.of_day, [image_id in wrong for image_id in found.of_day.images]
    groups = {
        "of-reference": _places(found, found.of_reference, [True] * len(found.of_reference.images)),
        "of-day": _places(found, of_day, [not bad for bad in answers]),
        "of-wrong": _places(found, of_day, answers),
    }
    path = Markup('<path class="{}" d="{}"/>')
    paths = Markup("").join(path.format(name, "".join(places)) for name, places in groups.items())
    said = said_of_map(found)
    drawn = Markup(
        '<svg class="map-of" width="100%" viewBox="0 0 {w} {h}" role="img" aria-label="{said}">{paths}</svg>'
    ).format(w=_WIDTH, h=_HEIGHT, said=said, paths=paths)
    return MapChart(drawn, said, sum(answers))


def _places(found: DayMap, points: MapPoints, wanted: Iterable[bool]) -> list[str]:
    """A dot of a path for each wanted point."""
    both_x, both_y = [*found.of_day.x, *found.of_reference.x], [*found.of_day.y, *found.of_reference.y]
    left, top = min(both_x, default=0.0), max(both_y, default=0.0)
    across = (max(both_x, default=0.0) - left) or 1.0
    down = (top - min(both_y, default=0.0)) or 1.0
    return [
        f"M{_EDGE + (_WIDTH - 2 * _EDGE) * (x - left) / across:.0f} {_EDGE + (_HEIGHT - 2 * _EDGE) * (top - y) / down:.0f}h0"
        for x, y, shown in zip(points.x, points.y, wanted, strict=True)
        if shown
    ]
