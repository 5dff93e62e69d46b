"""The small artifacts of a day as the series and the overview read them: without what only the day's own page shows.

Light is what the charts need. Brief is what a row of the overview needs: of fifty monitors there are thousands of days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from driftwatch.artifacts import base
from driftwatch.artifacts.accuracy import ConfusionMatrix, Estimate, Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.base import DayArtifact
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.rules import PolicyRules
from driftwatch.artifacts.segments import SegmentDrift, SegmentStatus
from driftwatch.artifacts.summary import OF_A_SUMMARY
from driftwatch.errors import MissingArtifact
from driftwatch.view.artifacts import Found

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore
    from driftwatch.storage import Storage

Depth = Literal["light", "brief"]
# The stamps of the day's files, by name.
Stamps = Mapping[str, str]
# Segments as usual, of hundreds on each day of a year, have no part in a calendar.
_TELLING: tuple[SegmentStatus, ...] = ("drifted", "new", "missing", "muted")


def _light_drift(found: DayDrift) -> DayDrift:
    light: dict[str, Any] = {
        "examples": (),
        "hellinger": {},
        "day_scores": None,
        "segments": found.segments_that(*_TELLING),
    }
    return found.model_copy(update=light)


def _light_content(found: ContentDrift) -> ContentDrift:
    return found.model_copy(update={"segments": found.segments_that(*_TELLING)})


def _light_performance(found: Performance) -> Performance:
    versions = tuple(row.model_copy(update={"evidence": None}) for row in found.versions)
    return found.model_copy(update={"evidence": None, "revisions": (), "versions": versions})


def _light_plan(found: AnnotationPlan) -> AnnotationPlan:
    light = found.model_copy(update={"sample": (), "changed": (), "control": (), "exam": None})
    if found.supplements:
        light = light.model_copy(update={"supplements": tuple(map(_light_plan, found.supplements))})
    return light


def _brief_segments(found: tuple[SegmentDrift, ...]) -> tuple[SegmentDrift, ...]:
    return tuple(row.model_copy(update={"features": (), "examples": ()}) for row in found)


def _brief_drift(found: DayDrift) -> DayDrift:
    light = _light_drift(found)
    return light.model_copy(
        update={"features": (), "quantiles": (), "states": (), "segments": _brief_segments(light.segments)}
    )


def _brief_content(found: ContentDrift) -> ContentDrift:
    content = found.content.model_copy(update={"features": (), "quantiles": (), "states": (), "examples": ()})
    predictions = found.predictions.model_copy(update={"classes": (), "states": ()})
    segments = _brief_segments(found.segments_that(*_TELLING))
    return found.model_copy(
        update={"content": content, "predictions": predictions, "versions": (), "segments": segments}
    )


def _brief_performance(found: Performance) -> Performance:
    without: dict[str, Any] = {
        "classes": {},
        "confusion_matrix": ConfusionMatrix(labels=(), rows=()),
        "reasons": (),
        "policy": PolicyRules(),
        "corrected": None,
        "pooled_days": (),
        "counted": None,
        "estimated": None,
        "content_hash": None,
        "evidence": None,
        "revisions": (),
        "versions": (),
        "segments": (),
        "slices": (),
    }
    return found.model_copy(update=without)


def _brief_plan(found: AnnotationPlan) -> AnnotationPlan:
    light = _light_plan(found)
    without: dict[str, Any] = {
        # Some plans do not say it, and it is then reckoned from the images.
        "sample_size": found.sample_size,
        "strata": (),
        "extra": (),
        "late": found.late.model_copy(update={"surplus": ()}) if found.late else None,
        "supplements": tuple(map(_brief_plan, found.supplements)),
    }
    return light.model_copy(update=without)


def _brief_estimate(found: Estimate) -> Estimate:
    return found.model_copy(update={"answers": None, "versions": ()})


@dataclass(frozen=True)
class DayPart:
    """One artifact of a day. `light` and `brief` take away what is not needed at that depth."""

    kind: type[DayArtifact]
    light: Callable[[Any], Any] | None = None
    brief: Callable[[Any], Any] | None = None

    def read(self, storage: Storage, key: str, depth: Depth) -> Any:
        """The artifact at `key`. Raises the errors of `artifacts.base.read`."""
        found, less = base.read(storage, key, self.kind), self.light if depth == "light" else self.brief
        return less(found) if less else found


_FORMS: dict[str, tuple[Callable[[Any], Any] | None, Callable[[Any], Any]]] = {
    "drift": (_light_drift, _brief_drift),
    "performance": (_light_performance, _brief_performance),
    "annotation": (_light_plan, _brief_plan),
    "estimate": (None, _brief_estimate),
    "content_drift": (_light_content, _brief_content),
}
# By the name of the field of `Day`.
DAY_PARTS: dict[str, DayPart] = {
    **{name: DayPart(kind, *_FORMS.get(name, ())) for name, kind in OF_A_SUMMARY.items()},
    "failure": DayPart(Failure),
}
FILES = tuple(part.kind.file for part in DAY_PARTS.values())


def read_parts(day: DayStore, stamps: Stamps, depth: Depth) -> dict[str, Found[Any]]:
    """The day's artifacts by the name of the field of `Day`, those that `stamps` has; of one that cannot be read, why."""
    return {
        name: _look(part, day, depth) if part.kind.file in stamps else Found(day.key(part.kind))
        for name, part in DAY_PARTS.items()
    }


def _look(part: DayPart, day: DayStore, depth: Depth) -> Found[Any]:
    key = day.key(part.kind)
    try:
        return Found(key, part.read(day.storage, key, depth))
    except MissingArtifact:  # it was deleted meanwhile
        return Found(key)
    except Exception as error:
        return Found(key, problem=error)
