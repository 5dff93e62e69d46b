"""One monitor's days. Each has its small artifacts, without what only the day's own page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from driftwatch.artifacts.accuracy import Estimate, Performance
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.drift import ContentDrift, DayDrift, FeatureDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.summary import OF_A_SUMMARY, DaySummary
from driftwatch.view import tones
from driftwatch.view.artifacts import Artifacts, reader
from driftwatch.view.day_parts import FILES, Depth, Stamps, read_parts
from driftwatch.view.episodes import tip
from driftwatch.view.standing import Standing, standings
from driftwatch.view.summaries import summarised


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


def read_days(artifacts: Artifacts, newest: int | None = None, depth: Depth = "light") -> list[Day]:
    """Every day that has a folder, or the `newest` so many, oldest first. An artifact that cannot be read is left out and named in its
    day's `problems`.

    Each day's folder is listed, and only a day whose files have changed is read. Brief days come from the month's summary, if that was made
    from the files that are there.
    """
    days = artifacts.store.days()[-newest if newest else 0 :]
    listed = dict(zip(days, artifacts.of_each(lambda day: _stamps(artifacts, day), days), strict=True))
    found: dict[date, Day] = {}
    for day, stamps in listed.items():
        kept = artifacts.held((artifacts.keys.day(day).folder, depth), stamps)
        if kept is not None:
            found[day] = kept
    fresh = [day for day in days if day not in found]
    known = summarised(artifacts, {day: listed[day] for day in fresh}) if depth == "brief" else {}
    for row in artifacts.of_each(lambda day: _read(artifacts, day, listed[day], depth, known.get(day)), fresh):
        found[row.day] = row
        if not row.problems:
            artifacts.hold((artifacts.keys.day(row.day).folder, depth), listed[row.day], row)
    return with_standings([found[day] for day in days])


def _stamps(artifacts: Artifacts, day: date) -> Stamps | Exception:
    try:
        return artifacts.storage.stamps(artifacts.keys.day(day).folder, FILES)
    except Exception as error:
        return error


def _read(artifacts: Artifacts, day: date, stamps: Stamps | Exception, depth: Depth, known: DaySummary | None) -> Day:
    labelled = artifacts.config.labels.labelled
    if isinstance(stamps, Exception):
        return Day(day, problems=(f"{day}: {stamps}",), labelled=labelled)
    if known is not None:
        return Day(day, **{name: getattr(known, name) for name in OF_A_SUMMARY}, labelled=labelled)
    parts = read_parts(artifacts.store.day(day), stamps, depth)
    problems = tuple(f"{file_name(part.key)}: {part.problem}" for part in parts.values() if part.problem)
    return Day(day, **{name: part.value for name, part in parts.items()}, problems=problems, labelled=labelled)


def whole(artifacts: Artifacts, day: Day) -> Day:
    """The day with all that its tests and its verdict say, some of which `read_days` leaves out."""
    keys = artifacts.keys.day(day.day)
    drift, content, performance = (
        artifacts.look(keys.drift, reader(DayDrift)).value,
        artifacts.look(keys.content_drift, reader(ContentDrift)).value,
        artifacts.look(keys.performance, reader(Performance)).value,
    )
    return replace(
        day,
        drift=drift or day.drift,
        content_drift=content or day.content_drift,
        performance=performance or day.performance,
    )


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
