"""One monitor's days: of each the small artifacts, cut down to what a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts import shapes
from driftwatch.artifacts.days import stored_days
from driftwatch.artifacts.failure import Failure, read_failure
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.errors import DamagedArtifact
from driftwatch.view.artifacts import Artifacts

if TYPE_CHECKING:
    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.storage import Storage

_FEATURE = ("feature", "test", "verdict", "p_value", "effect", "direction", "reference_quantiles", "day_quantiles")
_LEFT_OUT = ("features", "examples", "hellinger")
PARTS = 8
_BAD, _WARN, _UNSURE, _GOOD, _WAITING = "bad", "warn", "unsure", "good", "waiting"


@dataclass(frozen=True)
class Day:
    """A day as the series and the calendar see it. None where the step has not run; `problems` names what could not be read."""

    day: date
    ingest: dict[str, Any] | None
    drift: dict[str, Any] | None
    performance: dict[str, Any] | None
    annotation: dict[str, Any] | None
    estimate: dict[str, Any] | None = None
    content_drift: dict[str, Any] | None = None
    problems: tuple[str, ...] = ()
    failure: Failure | None = None
    progress: dict[str, Any] | None = None

    @property
    def other_drift(self) -> list[str]:
        """The kinds beside image quality that drifted: content, predictions, trend."""
        found = {**(self.content_drift or {}), "trend": (self.drift or {}).get("trend")}
        kinds = ("content", "predictions", "trend")
        return [name for name in kinds if (found.get(name) or {}).get("verdict") == "drifted"]

    @property
    def tone(self) -> str:
        """The worst of the day: bad (failed, alert, no usable image), warn (drifted), unsure, waiting, or good where both verdicts are ok."""
        images = (self.drift or {}).get("verdict")
        model = (self.performance or {}).get("verdict")
        empty = self.ingest is not None and not self.ingest.get("accepted")
        if self.failure or model == "alert" or empty or self.problems:
            return _BAD
        if images == "drifted" or self.other_drift:
            return _WARN
        if "not_enough_evidence" in (images, model):
            return _UNSURE
        return _GOOD if (images, model) == ("ok", "ok") else _WAITING

    @property
    def said(self) -> str:
        """The tone in words, for tips and screen readers."""
        if self.problems:
            return "cannot be read"
        if self.failure:
            return self.failure.said
        if self.ingest is not None and not self.ingest.get("accepted"):
            return "no usable image"
        images = {"drifted": "images changed", "ok": "images as usual", "not_enough_evidence": "too few images"}
        model = {
            "alert": "model worse",
            "ok": "model holds",
            "not_enough_evidence": "not enough labels to judge the model",
        }
        others = "".join(f", {name} changed" for name in self.other_drift)
        return (
            f"{images.get(str((self.drift or {}).get('verdict')), 'images not judged yet')}{others}, "
            f"{model.get(str((self.performance or {}).get('verdict')), 'model not judged yet')}"
        )


def read_days(artifacts: Artifacts, layout: MonitorKeys) -> list[Day]:
    """Every day that has a folder, oldest first."""
    days = stored_days(artifacts.storage, layout)
    keys = [layout.day(day) for day in days]
    wanted = [
        item
        for key in keys
        for item in (
            (key.ingest, read_ingest),
            (key.drift, read_drift),
            (key.performance, read_performance),
            (key.annotation, read_annotation),
            (key.estimate, read_estimate),
            (key.content_drift, read_content_drift),
            (key.failure, read_failure),
            (key.annotation_progress, read_progress),
        )
    ]
    found = artifacts.get_many(wanted)
    rows = []
    for index, day in enumerate(days):
        parts = found[PARTS * index : PARTS * (index + 1)]
        problems = tuple(
            f"{file_name(wanted[PARTS * index + place][0])}: {part}"
            for place, part in enumerate(parts)
            if isinstance(part, Exception)
        )
        ingest, drift, performance, annotation, estimate, content, failure, progress = (
            None if isinstance(part, Exception) else part for part in parts
        )
        rows.append(Day(day, ingest, drift, performance, annotation, estimate, content, problems, failure, progress))
    return rows


def with_failures(days: Sequence[Day], known: Mapping[date, Sequence[Failure]]) -> list[Day]:
    """The days, failed where their newest run did, and those that failed before anything was stored.

    `known`: of each day with a run that run's failures, none where it did not fail. A reason that the failed task wrote down stays.
    """
    rows = {row.day: row for row in days}
    for day, failures in known.items():
        row = rows.get(day)
        if row is None and failures:
            rows[day] = Day(day, None, None, None, None, failure=failures[0])
        elif row is not None:
            ran = {(failure.run_id, failure.task) for failure in failures}
            if row.failure is None or (row.failure.run_id, row.failure.task) not in ran:
                rows[day] = replace(row, failure=failures[0] if failures else None)
    return sorted(rows.values(), key=lambda row: row.day)


def read_object(storage: Storage, key: str) -> dict[str, Any]:
    """A JSON object, whole."""
    value = storage.read_json(key)
    if not isinstance(value, dict):
        raise DamagedArtifact(f"{storage.url(key)} holds a {type(value).__name__}, not an object")
    return value


def read_ingest(storage: Storage, key: str) -> dict[str, Any]:
    return shapes.read_checked(storage, key, shapes.Ingest, whole=False)


def read_estimate(storage: Storage, key: str) -> dict[str, Any]:
    return shapes.read_checked(storage, key, shapes.Estimate, whole=False)


def read_content_drift(storage: Storage, key: str) -> dict[str, Any]:
    return shapes.read_checked(storage, key, shapes.ContentDrift, whole=False)


def read_progress(storage: Storage, key: str) -> dict[str, Any]:
    return shapes.read_checked(storage, key, shapes.Progress)


def read_uploads(storage: Storage, key: str) -> dict[str, Any]:
    return shapes.read_checked(storage, key, shapes.Uploads)


def read_drift(storage: Storage, key: str) -> dict[str, Any]:
    """drift.json without what only the day's own page shows; `features` by name."""
    whole = shapes.read_checked(storage, key, shapes.Drift, whole=False)
    features = {
        row["feature"]: {name: row.get(name) for name in _FEATURE}
        for row in whole.get("features") or []
        if isinstance(row, dict) and isinstance(row.get("feature"), str)
    }
    return {**{name: value for name, value in whole.items() if name not in _LEFT_OUT}, "features": features}


def read_performance(storage: Storage, key: str) -> dict[str, Any]:
    """performance.json without the evidence that later days pool."""
    whole = shapes.read_checked(storage, key, shapes.Performance, whole=False)
    return {name: value for name, value in whole.items() if name not in ("evidence", "revisions")}


def read_annotation(storage: Storage, key: str) -> dict[str, Any]:
    """annotation.json with the number of sampled images in place of their list."""
    whole = shapes.read_checked(storage, key, shapes.Annotation, whole=False)
    kept = ("state", "close_reason", "project_id", "pool_id", "cost", "overlap", "progress", "expires")
    return {**{name: whole.get(name) for name in kept}, "images": len(whole.get("sample") or [])}
