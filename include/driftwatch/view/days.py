"""One monitor's days. Each has its small artifacts, without what only the day's own page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.accuracy import Estimate, Performance
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.drift import ContentDrift, DayDrift, FeatureDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.segments import SegmentStatus
from driftwatch.view import tones
from driftwatch.view.artifacts import Artifacts, reader
from driftwatch.view.episodes import tip
from driftwatch.view.standing import Standing, standings

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftwatch.storage import Storage


@dataclass(frozen=True)
class Day:
    """A day as the series and the calendar see it. None where the step has not run; `problems` names what could not be read. `labelled`:
    whether the monitor has labels at all; without them the model is not judged. `standing`: how the accuracy stands beyond its verdict, see
    `with_standings`."""

    day: date
    ingest: Ingest | None = None
    drift: DayDrift | None = None
    performance: Performance | None = None
    annotation: AnnotationPlan | None = None
    estimate: Estimate | None = None
    content_drift: ContentDrift | None = None
    failure: Failure | None = None
    progress: AnnotationProgress | None = None
    problems: tuple[str, ...] = ()
    labelled: bool = True
    episodes: DayEpisodes | None = None
    standing: Standing | None = None

    @property
    def version(self) -> str | None:
        """The model version that judges the day; None before it was taken in."""
        if self.ingest:
            return self.ingest.model_version
        if self.performance:
            return self.performance.model_version
        return self.drift.reference_version if self.drift else None

    @property
    def serving(self) -> str | None:
        """Production's own version that the day is about; None where the registered model itself answered, or before it did."""
        known = [found.serving_version for found in (self.performance, self.estimate) if found]
        return known[0] if known else None

    @property
    def model(self) -> str | None:
        """Who answered the day: production's own version, or the registered one."""
        return self.serving or self.version

    @property
    def other_drift(self) -> list[str]:
        """The kinds of drift, other than image quality, that the day has: content, predictions, trend."""
        content, predictions = (
            (self.content_drift.content, self.content_drift.predictions) if self.content_drift else (None, None)
        )
        kinds = {"content": content, "predictions": predictions, "trend": self.drift.trend if self.drift else None}
        segments = {row.kind for row in self.content_drift.segments_that("drifted")} if self.content_drift else set()
        return [name for name, found in kinds.items() if (found and found.verdict == "drifted") or name in segments]

    @property
    def empty(self) -> bool:
        """Whether none of its files is a usable image."""
        return self.ingest is not None and not self.ingest.accepted

    @property
    def tone(self) -> str:
        """The worst of the day: bad (failed, alert, no usable image), warn (drifted), unsure, waiting, or good if both verdicts are ok."""
        if self.failure or self.empty or self.problems:
            return tones.BAD
        verdicts = [tones.of_drift(self.drift.verdict if self.drift else None)]
        verdicts += [self.model_verdict] if self.model_verdict else []
        return tones.worst([*(verdict.tone for verdict in verdicts), *(tones.WARN for _ in self.other_drift)])

    @property
    def model_verdict(self) -> tones.Verdict | None:
        """The verdict on the model; None for a monitor without labels."""
        if self.performance is None and not self.labelled:
            return None
        return tones.of_model(self.performance.verdict if self.performance else None, self.standing)

    @property
    def said(self) -> str:
        """The tone in words, for tips and screen readers."""
        if self.problems:
            return "cannot be read"
        if self.failure:
            return self.failure.said
        if self.empty:
            return "no usable image"
        images = tones.of_drift(self.drift.verdict if self.drift else None)
        model = [_about("model", self.model_verdict)] if self.model_verdict else []
        others = [f"{name} changed" for name in self.other_drift]
        said = ", ".join([_about("images", images), *others, *model])
        return "; ".join(filter(None, [said, tip(self.episodes)]))

    @property
    def in_episode(self) -> bool:
        """Whether a change is open after the day."""
        return self.episodes is not None and bool(self.episodes.open)

    def feature(self, column: str) -> FeatureDrift | None:
        """What the drift test found of one feature; None where it did not look at it."""
        rows = self.drift.features if self.drift else ()
        return next((row for row in rows if row.feature == column), None)


def _about(what: str, verdict: tones.Verdict) -> str:
    if verdict.tone == tones.UNSURE:
        return f"{verdict.word} about the {what}"
    return f"{what} not judged yet" if verdict.tone == tones.WAITING else f"{what} {verdict.word}"


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


_READ: dict[str, tuple[str, Callable[[Storage, str], Any]]] = {
    "ingest": (Ingest.file, reader(Ingest)),
    "drift": (DayDrift.file, reader(DayDrift, _light_drift)),
    "performance": (Performance.file, reader(Performance, _light_performance)),
    "annotation": (AnnotationPlan.file, reader(AnnotationPlan, _light_plan)),
    "estimate": (Estimate.file, reader(Estimate)),
    "content_drift": (ContentDrift.file, reader(ContentDrift, _light_content)),
    "failure": (Failure.file, reader(Failure)),
    "episodes": (DayEpisodes.file, reader(DayEpisodes)),
    "progress": (AnnotationProgress.file, reader(AnnotationProgress)),
}


def read_days(artifacts: Artifacts, newest: int | None = None) -> list[Day]:
    """Every day that has a folder, or the `newest` so many, oldest first. An artifact that cannot be read is left out and named in its
    day's `problems`."""
    days = artifacts.store.days()[-newest if newest else 0 :]
    found = iter(
        artifacts.look_at_each(
            [(artifacts.keys.day(day).file(file), read) for day in days for file, read in _READ.values()]
        )
    )
    rows, labelled = [], artifacts.config.labels.labelled
    for day in days:
        parts = {name: next(found) for name in _READ}
        problems = tuple(f"{file_name(part.key)}: {part.problem}" for part in parts.values() if part.problem)
        values = {name: part.value for name, part in parts.items()}
        rows.append(Day(day, **values, problems=problems, labelled=labelled))
    return with_standings(rows)


def whole(artifacts: Artifacts, day: Day) -> Day:
    """The day with all that its segments' tests say, which `read_days` leaves out."""
    keys = artifacts.keys.day(day.day)
    drift, content = (
        artifacts.look(keys.drift, reader(DayDrift)),
        artifacts.look(keys.content_drift, reader(ContentDrift)),
    )
    return replace(day, drift=drift.value or day.drift, content_drift=content.value or day.content_drift)


def with_standings(days: Sequence[Day]) -> list[Day]:
    """The days, each with how its accuracy stands against those before it."""
    found = standings({row.day: row.performance for row in days if row.performance})
    return [replace(row, standing=found[row.day]) if row.day in found else row for row in days]


def with_failures(days: Sequence[Day], known: Mapping[date, Sequence[Failure]]) -> list[Day]:
    """The days. A day is marked as failed if its newest run failed. Days that failed before anything was stored are added.

    `known`: for each day with a run, the failures of that run; none if it did not fail. A reason that the failed task wrote down stays.
    """
    rows = {row.day: row for row in days}
    for day, failures in known.items():
        row = rows.get(day)
        if row is None and failures:
            rows[day] = Day(day, failure=failures[0])
        elif row is not None:
            ran = {(failure.run_id, failure.task) for failure in failures}
            if row.failure is None or (row.failure.run_id, row.failure.task) not in ran:
                rows[day] = replace(row, failure=failures[0] if failures else None)
    return sorted(rows.values(), key=lambda row: row.day)
