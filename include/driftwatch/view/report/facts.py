"""What is known about a day so far: its artifacts, and those of the days before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts import shapes
from driftwatch.artifacts.days import stored_days
from driftwatch.artifacts.failure import Failure, read_failure
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import DamagedArtifact, MissingArtifact

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.config import MonitorConfig
    from driftwatch.storage import Storage

HISTORY_DAYS = 14


@dataclass(frozen=True)
class PastDay:
    """What the history shows of one day; None where the step has not run."""

    day: date
    drift: dict[str, Any] | None
    performance: dict[str, Any] | None


@dataclass(frozen=True)
class DayFacts:
    """The day's artifacts as the steps that write them describe them; None where the step has not run."""

    config: MonitorConfig
    day: date
    ingest: dict[str, Any]
    manifest: pd.DataFrame
    drift: dict[str, Any] | None
    content_drift: dict[str, Any] | None
    predictions: pd.DataFrame | None
    estimate: dict[str, Any] | None
    annotation: dict[str, Any] | None
    assignments: pd.DataFrame | None
    labels: pd.DataFrame | None
    annotators: pd.DataFrame | None
    performance: dict[str, Any] | None
    card: dict[str, Any] | None
    late_files: dict[str, Any] | None
    history: list[PastDay]
    failure: Failure | None = None
    problems: tuple[str, ...] = ()  # artifacts that are there and cannot be read

    @property
    def accepted(self) -> pd.DataFrame:
        """The manifest's accepted rows: the order of features, inputs and predictions."""
        return self.manifest[self.manifest["status"] == "accepted"].reset_index(drop=True)


def gather(store: MonitorStore, day: date) -> DayFacts:
    """Reads what exists. A damaged artifact, of this day or of one before, is left out and named in `problems`.

    Raises MissingArtifact for a day that was never taken in (no ingest.json or manifest.parquet), and DamagedArtifact where one
    of these two cannot be read.
    """
    keys, reading = store.keys.day(day), _Reading(store.storage)
    ingest = shapes.read_checked(store.storage, keys.ingest, shapes.Ingest)
    card = store.keys.model_card(ingest["model_version"])
    return DayFacts(
        config=store.config,
        day=day,
        ingest=ingest,
        manifest=store.storage.read_table(keys.manifest),
        drift=reading.object(keys.drift, shapes.Drift),
        content_drift=reading.object(keys.content_drift, shapes.ContentDrift),
        predictions=reading.table(keys.predictions, "image_id", "prediction", "model_version"),
        estimate=reading.object(keys.estimate, shapes.Estimate),
        annotation=reading.object(keys.annotation, shapes.Annotation),
        assignments=reading.table(keys.assignments, "assignment_id", "status", "reward"),
        labels=reading.table(keys.labels, "image_id", "label", "votes", "votes.unclear"),
        annotators=reading.table(keys.annotators, "annotator_id", "answers", "flagged"),
        performance=reading.object(keys.performance, shapes.Performance),
        card=reading.object(card, shapes.Card),
        late_files=reading.object(keys.late_files, shapes.LateFiles),
        history=_history(reading, store.keys, day),
        failure=reading.failure(keys.failure),
        problems=tuple(reading.problems),
    )


class _Reading:
    """Reads artifacts that may not be there yet, which is normal in the morning, and notes those that cannot be read."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.problems: dict[str, None] = {}

    def object(self, key: str, shape: type[shapes.Shape]) -> dict[str, Any] | None:
        return self._if_there(lambda: shapes.read_checked(self.storage, key, shape), key)

    def table(self, key: str, *columns: str) -> Any:
        def read() -> pd.DataFrame:
            table = self.storage.read_table(key)
            missing = sorted({*columns} - {*table.columns})
            if missing:
                raise DamagedArtifact(f"{self.storage.url(key)} has no column {', '.join(missing)}")
            return table

        return self._if_there(read, key)

    def failure(self, key: str) -> Failure | None:
        found: Failure | None = self._if_there(lambda: read_failure(self.storage, key), key)
        return found

    def _if_there(self, read: Callable[[], Any], key: str) -> Any:
        try:
            return read()
        except MissingArtifact:
            return None
        except DamagedArtifact as error:
            self.problems[str(error)] = None
        except PermissionError as error:
            self.problems[f"{self.storage.url(key)} may not be read: {error}"] = None
        return None


def _history(reading: _Reading, layout: MonitorKeys, day: date) -> list[PastDay]:
    """The last HISTORY_DAYS days, the day itself included, oldest first, beginning with the first that exists."""
    present = set(stored_days(reading.storage, layout))
    found = []
    for back in range(HISTORY_DAYS - 1, -1, -1):
        other = day - timedelta(days=back)
        if other in present:
            keys = layout.day(other)
            drift, performance = (
                reading.object(keys.drift, shapes.Drift),
                reading.object(keys.performance, shapes.Performance),
            )
            found.append(PastDay(other, drift, performance))
        elif found:
            found.append(PastDay(other, None, None))
    return found
