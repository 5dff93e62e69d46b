"""What is known about a day so far: its artifacts, and those of the days before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.errors import MissingArtifact
from driftwatch.failure import Failure, read_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from driftwatch.config import MonitorConfig
    from driftwatch.layout import MonitorLayout
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

    @property
    def accepted(self) -> pd.DataFrame:
        """The manifest's accepted rows: the order of features, inputs and predictions."""
        return self.manifest[self.manifest["status"] == "accepted"].reset_index(drop=True)


def gather(storage: Storage, layout: MonitorLayout, day: date, config: MonitorConfig) -> DayFacts:
    """Reads what exists. Raises MissingArtifact for a day that was never taken in (no ingest.json or manifest.parquet)."""
    keys = layout.day(day)
    ingest = storage.read_json(keys.ingest)
    return DayFacts(
        config=config,
        day=day,
        ingest=ingest,
        manifest=storage.read_table(keys.manifest),
        drift=_if_there(storage.read_json, keys.drift),
        content_drift=_if_there(storage.read_json, keys.content_drift),
        predictions=_if_there(storage.read_table, keys.predictions),
        estimate=_if_there(storage.read_json, keys.estimate),
        annotation=_if_there(storage.read_json, keys.annotation),
        assignments=_if_there(storage.read_table, keys.assignments),
        labels=_if_there(storage.read_table, keys.labels),
        annotators=_if_there(storage.read_table, keys.annotators),
        performance=_if_there(storage.read_json, keys.performance),
        card=_if_there(storage.read_json, layout.model_card(ingest["model_version"])),
        late_files=_if_there(storage.read_json, keys.late_files),
        history=_history(storage, layout, day),
        failure=read_failure(storage, keys.failure),
    )


def _if_there(read: Callable[[str], Any], key: str) -> Any:
    """What `read` finds, or None where the step that writes it has not run yet, which is normal in the morning."""
    try:
        return read(key)
    except MissingArtifact:
        return None


def _history(storage: Storage, layout: MonitorLayout, day: date) -> list[PastDay]:
    """The last HISTORY_DAYS days, the day itself included, oldest first, beginning with the first that exists."""
    present = set(layout.stored_days(storage))
    found = []
    for back in range(HISTORY_DAYS - 1, -1, -1):
        other = day - timedelta(days=back)
        if other in present:
            keys = layout.day(other)
            found.append(
                PastDay(other, _if_there(storage.read_json, keys.drift), _if_there(storage.read_json, keys.performance))
            )
        elif found:
            found.append(PastDay(other, None, None))
    return found
