"""What is known about a day so far: its artifacts, and those of the days before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from driftwatch.artifacts import base
from driftwatch.artifacts.accuracy import Estimate, Performance
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.check_keys import CheckKeys
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.ingest import Ingest, LateFiles
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.recheck import Recheck
from driftwatch.artifacts.store import DayStore
from driftwatch.config.labels import TABLE
from driftwatch.errors import DamagedArtifact, MissingArtifact
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.days import Day, with_standings
from driftwatch.view.report.large_days import PLACE, answers_of, files_of
from driftwatch.view.retrained import Outcome, of_alert
from driftwatch.view.series import Series, series
from driftwatch.view.what_now import way_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftwatch.artifacts.base import Artifact
    from driftwatch.config import MonitorConfig
    from driftwatch.storage import Storage

    A = TypeVar("A", bound=Artifact)
    T = TypeVar("T")

HISTORY_DAYS = 14


@dataclass(frozen=True)
class DayFacts:
    """The day's artifacts. An artifact is None if its step has not run. Of a day that is judged by a sample, `manifest` and `predictions` have the
    images that are shown (`view.report.large_days`); `with_reason` and `counts` are then those of the whole day.

    `history`: the last days, with what its charts show of them. `retraining`: what the day's alert led to; `before`: the champion to which
    one may go back. `damaged`: artifacts of the day that are there and cannot be read;
    `problems`: these, and those of the days before.
    """

    config: MonitorConfig
    day: date
    ingest: Ingest
    manifest: pd.DataFrame
    drift: DayDrift | None
    content_drift: ContentDrift | None
    predictions: pd.DataFrame | None
    estimate: Estimate | None
    annotation: AnnotationPlan | None
    assignments: pd.DataFrame | None
    labels: pd.DataFrame | None
    annotators: pd.DataFrame | None
    performance: Performance | None
    card: ModelCard | None
    late_files: LateFiles | None
    history: list[Day]
    failure: Failure | None = None
    answers: Answers | None = None
    recheck: Recheck | None = None
    label_table: LabelTable | None = None
    episodes: DayEpisodes | None = None
    progress: AnnotationProgress | None = None
    retraining: Outcome | None = None
    before: str | None = None
    damaged: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    with_reason: int | None = None
    counts: dict[str, int] | None = None

    @property
    def accepted(self) -> pd.DataFrame:
        """The manifest's accepted rows, by their place in the order of features, inputs and predictions."""
        rows = self.manifest[self.manifest["status"] == "accepted"]
        return rows.set_index(PLACE) if PLACE in rows else rows.reset_index(drop=True)

    @property
    def answered(self) -> dict[str, int]:
        """How many images of the day have each answer; empty before there are answers."""
        if self.counts is not None or self.predictions is None:
            return self.counts or {}
        return {str(name): int(count) for name, count in self.predictions["prediction"].value_counts().items()}

    @property
    def as_day(self) -> Day:
        """The day as the calendar and the charts see it."""
        return Day(
            self.day,
            ingest=self.ingest,
            drift=self.drift,
            performance=self.performance,
            estimate=self.estimate,
            content_drift=self.content_drift,
            failure=self.failure,
            problems=self.damaged,
            labelled=self.config.labels.labelled,
            episodes=self.episodes,
            annotation=self.annotation,
            progress=self.progress,
            standing=next((past.standing for past in self.history if past.day == self.day), None),
        )

    @cached_property
    def series(self) -> Series:
        """The last days as columns, from which the charts are drawn."""
        return series(self.history, self.config)


def gather(day: DayStore) -> DayFacts:
    """Reads what exists. A damaged artifact, of this day or of one before, is left out and named in `problems`.

    Raises MissingArtifact for a day that was never taken in (no ingest.json or manifest.parquet), and DamagedArtifact where one
    of these two cannot be read.
    """
    keys, reading, before, artifacts = day.keys, _Reading(day), _Reading(day), Artifacts(day.monitor)
    table = reading.find(day.key(LabelTable), LabelTable)
    by_table = table is not None or (day.config.labels.backend == TABLE and not day.storage.exists(keys.annotators))
    people = CheckKeys(keys.monitor, keys.day) if by_table else keys
    ingest = day.read(Ingest)
    found = DayFacts(
        config=day.config,
        day=day.date,
        ingest=ingest,
        manifest=pd.DataFrame(),
        drift=reading.find(keys.drift, DayDrift),
        content_drift=reading.find(keys.content_drift, ContentDrift),
        predictions=None,
        estimate=reading.find(keys.estimate, Estimate),
        annotation=reading.find(keys.annotation, AnnotationPlan),
        assignments=reading.table(people.assignments, "assignment_id", "status", "reward"),
        labels=reading.table(keys.labels, "image_id", "label", "status", "votes", "votes.unclear"),
        annotators=reading.table(people.annotators, "annotator_id", "answers", "flagged"),
        performance=reading.find(keys.performance, Performance),
        card=reading.find(day.monitor.keys.model_card(ingest.model_version), ModelCard),
        late_files=reading.find(keys.late_files, LateFiles),
        answers=reading.find(day.key(Answers), Answers),
        recheck=reading.find(day.key(Recheck), Recheck),
        label_table=table,
        history=_history(before, day),
        failure=reading.find(keys.failure, Failure),
        episodes=reading.find(day.key(DayEpisodes), DayEpisodes),
        progress=reading.find(keys.annotation_progress, AnnotationProgress),
        retraining=of_alert(artifacts, day.date),
        before=way_back(artifacts, day.date),
    )
    found = _with_tables(found, reading, day)
    damaged = tuple(reading.problems)
    return replace(found, damaged=damaged, problems=tuple(dict.fromkeys([*damaged, *before.problems])))


def if_readable(facts: DayFacts, read: Callable[[], T]) -> tuple[DayFacts, T | None]:
    """What `read` gives; None where something that it needs cannot be read, which the facts then name in `problems`."""
    try:
        return facts, read()
    except (DamagedArtifact, PermissionError) as error:
        said = str(error).partition(" (")[0]  # what follows in brackets depends on which part was to be read
        known = any(problem.startswith(said) for problem in facts.problems)
        return facts if known else replace(facts, problems=(*facts.problems, str(error))), None


def _with_tables(found: DayFacts, reading: _Reading, day: DayStore) -> DayFacts:
    """With the day's manifest and predictions. They are read last, since what is told of a large day depends on the rest."""
    keys, columns = day.keys, ("image_id", "prediction", "model_version")
    if found.ingest.judged is None:
        manifest = day.storage.read_table(keys.manifest)
        return replace(found, manifest=manifest, predictions=reading.table(keys.predictions, *columns))
    labelled = [] if found.labels is None else found.labels["image_id"].tolist()
    files = files_of(day, {*labelled, *_examples(found)})
    answers = reading.if_there(lambda: answers_of(day, labelled), keys.predictions)
    found = replace(found, manifest=files.manifest, with_reason=files.with_reason)
    return replace(found, predictions=answers.predictions, counts=answers.counts) if answers else found


def _examples(found: DayFacts) -> set[str]:
    """The images that the tests of the day name."""
    tests = [found.drift, found.content_drift.content if found.content_drift else None]
    segments = [
        *(found.drift.segments if found.drift else ()),
        *(found.content_drift.segments if found.content_drift else ()),
    ]
    return {image_id for part in (*tests, *segments) if part for image_id in part.examples}


class _Reading:
    """Reads artifacts and notes those that cannot be read. An artifact may not be there yet: in the morning that is normal."""

    def __init__(self, day: DayStore) -> None:
        self.storage: Storage = day.storage
        self.problems: list[str] = []

    def find(self, key: str, kind: type[A]) -> A | None:
        return self.if_there(lambda: base.read(self.storage, key, kind), key)

    def table(self, key: str, *columns: str) -> pd.DataFrame | None:
        def read() -> pd.DataFrame:
            table = self.storage.read_table(key)
            missing = sorted({*columns} - {*table.columns})
            if missing:
                raise DamagedArtifact(f"{self.storage.url(key)} has no column {', '.join(missing)}")
            return table

        return self.if_there(read, key)

    def if_there(self, read: Callable[[], T], key: str) -> T | None:
        try:
            return read()
        except MissingArtifact:
            return None
        except DamagedArtifact as error:
            self.problems.append(str(error))
        except PermissionError as error:
            self.problems.append(f"{self.storage.url(key)} may not be read: {error}")
        return None


def _history(reading: _Reading, day: DayStore) -> list[Day]:
    """The last HISTORY_DAYS days, the day itself included, oldest first, beginning with the first that exists."""
    present = set(day.monitor.days())
    found = []
    for back in range(HISTORY_DAYS - 1, -1, -1):
        other = day.date - timedelta(days=back)
        if other in present:
            keys = day.monitor.keys.day(other)
            ingest, drift = reading.find(keys.ingest, Ingest), reading.find(keys.drift, DayDrift)
            found.append(Day(other, ingest, drift, reading.find(keys.performance, Performance)))
        elif found:
            found.append(Day(other))
    return with_standings(found)
