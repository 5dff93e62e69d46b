"""What WhyLabs makes of the uploads: one merged profile for each dataset, UTC day and segment.

Whatever is received for a day is added to it; the same rows uploaded twice are counted twice.
"""

from __future__ import annotations

import io
import sqlite3
import zipfile
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from driftwatch_sandbox.whylabs.store import DAY_MS, Settings, Store, now_ms

if TYPE_CHECKING:
    from whylogs.core import DatasetProfileView

_SEGMENT_TAG = "whylogs.tag."
_COLUMN_METRICS = {
    "count": "count",
    "count_null": "missing",
    "mean": "mean",
    "median": "median",
    "min": "min",
    "max": "max",
    "stddev": "stddev",
    "unique_est": "distinct",
    "quantile_5": "q_05",
    "quantile_25": "q_25",
    "quantile_75": "q_75",
    "quantile_95": "q_95",
}


def day_of(timestamp: int) -> date:
    return datetime.fromtimestamp(timestamp / 1000, timezone.utc).date()


def decode(payload: bytes) -> list[DatasetProfileView]:
    """The profiles in an upload: v1, v0, or a zip of them. Raises ValueError for anything else."""
    from driftwatch.drift.whylogs_profiles import ProfileError, read_profile

    try:
        if payload[:2] != b"PK":
            return [read_profile(payload)]
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            return [read_profile(archive.read(name)) for name in archive.namelist()]
    except (ProfileError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from error


def segment_of(view: DatasetProfileView) -> str:
    """`key=value&…`, in the order of the keys. Empty for a profile without a segment."""
    tags = {key: value for key, value in view.metadata.items() if key.startswith(_SEGMENT_TAG)}
    return "&".join(f"{key.removeprefix(_SEGMENT_TAG)}={tags[key]}" for key in sorted(tags))


class Days:
    """Reads the merged days of a store. Deletions that are due are done first."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        # By dataset and midnight: the uploads that were merged, and the result.
        self._merged: dict[tuple[str, int], tuple[list[tuple[int, int]], dict[str, DatasetProfileView]]] = {}

    @staticmethod
    def warm_up() -> None:
        """Imports whylogs."""
        from driftwatch.drift.whylogs_profiles import without_network

        without_network()
        import whylogs.migration.converters  # noqa: F401

    def uploads(self, dataset: str, start: int, stop: int) -> list[sqlite3.Row]:
        """The uploads that count now. Their dataset timestamps are from `start` (ms) to before `stop`."""
        self.carry_out_deletions()
        visible = now_ms() - int(self._settings.ingest_seconds * 1000)
        return self._store.rows(
            "SELECT number, id, timestamp, received FROM uploads WHERE dataset = ? AND kind = 'batch' AND live = 1"
            " AND error IS NULL AND received <= ? AND timestamp >= ? AND timestamp < ? ORDER BY number",
            dataset, visible, start, stop,
        )  # fmt: skip

    def starts(self, dataset: str, start: int, stop: int) -> list[int]:
        """The midnights (ms) of the days that have data."""
        return sorted({row["timestamp"] // DAY_MS * DAY_MS for row in self.uploads(dataset, start, stop)})

    def newest(self, dataset: str) -> list[tuple[int, int]]:
        """Each day's midnight and the time of its last upload (both in ms), also if it cannot be read back yet."""
        self.carry_out_deletions()
        rows = self._store.rows(
            "SELECT timestamp / ? * ? AS start, max(received) AS newest FROM uploads WHERE dataset = ? AND kind = 'batch'"
            " AND live = 1 AND error IS NULL AND received IS NOT NULL GROUP BY 1 ORDER BY 1",
            DAY_MS, DAY_MS, dataset,
        )  # fmt: skip
        return [(row["start"], row["newest"]) for row in rows]

    def merged(self, dataset: str, start: int) -> dict[str, DatasetProfileView]:
        """The day's merged profile by segment. Empty if the day has no data."""
        uploads = [(row["number"], row["received"]) for row in self.uploads(dataset, start, start + DAY_MS)]
        merged_uploads, merged = self._merged.get((dataset, start), (None, {}))
        if merged_uploads != uploads:
            merged = self._merge([number for number, _ in uploads])
            self._merged[dataset, start] = uploads, merged
        return merged

    def _merge(self, numbers: list[int]) -> dict[str, DatasetProfileView]:
        from driftwatch.drift.whylogs_profiles import merge_views

        segments: dict[str, list[DatasetProfileView]] = {}
        for number in numbers:
            row = self._store.row("SELECT payload FROM uploads WHERE number = ?", number)
            for view in decode(row["payload"]) if row else []:
                segments.setdefault(segment_of(view), []).append(view)
        return {segment: merge_views(views) for segment, views in segments.items()}

    def metric(self, dataset: str, start: int, metric: str, column: str | None, segment: str = "") -> float | None:
        """A day's value of a dataset metric (`profile.count`, `classification.…`) or of a column's metric. None if the day has no such value.
        Raises ValueError for a metric that this server does not know."""
        from driftwatch.drift.whylogs_profiles import confusion_counts, summary

        if metric == "profile.count":
            return len(self.uploads(dataset, start, start + DAY_MS)) or None
        view = self.merged(dataset, start).get(segment)
        if metric.startswith("classification."):
            counts = confusion_counts(view) if view else None
            return classification(counts["counts"] if counts else [], metric.removeprefix("classification."))
        if metric not in _COLUMN_METRICS:
            raise ValueError(f"unknown metric {metric}")
        if view is None or column is None or view.get_column(column) is None:
            return None
        return summary(view)[column][_COLUMN_METRICS[metric]]

    def carry_out_deletions(self) -> None:
        """Does the deletions that are due. Whatever reads the days calls it first."""
        for row in self._store.rows("SELECT * FROM deletions WHERE done = 0 AND due <= ?", now_ms()):
            with self._store.transaction():
                # What arrived before the deletion was done is deleted too.
                self._store.change(
                    "UPDATE uploads SET live = 0 WHERE dataset = ? AND kind = 'batch' AND received <= ?"
                    " AND timestamp >= ? AND timestamp < ? AND received < ?",
                    row["dataset"], row["due"], row["start"] or 0, row["stop"] or 2**62, row["before"] or 2**62,
                )  # fmt: skip
                if row["results"]:
                    self._store.change(
                        "DELETE FROM documents WHERE dataset = ? AND kind IN ('result', 'analysed')"
                        " AND CAST(substr(id, 1, 15) AS INTEGER) >= ? AND CAST(substr(id, 1, 15) AS INTEGER) < ?",
                        row["dataset"], row["start"] or 0, row["stop"] or 2**62,
                    )  # fmt: skip
                self._store.change("UPDATE deletions SET done = 1 WHERE id = ?", row["id"])

    def state(self, dataset: str) -> dict[str, Any]:
        """Everything about a dataset, for tests: see GET /_sandbox/state."""
        days: dict[str, Any] = {}
        for start in self.starts(dataset, 0, 2**62):
            described = {segment: describe(view) for segment, view in self.merged(dataset, start).items()}
            days[day_of(start).isoformat()] = {
                "upload_ids": [row["id"] for row in self.uploads(dataset, start, start + DAY_MS)],
                **described.pop("", {"columns": {}, "confusion": None}),
                "segments": described,
            }
        rows = self._store.rows(
            "SELECT id, part, kind, timestamp, alias, idempotency_key, received, error, live FROM uploads"
            " WHERE dataset = ? ORDER BY number",
            dataset,
        )
        uploads = [{**dict(row), "day": day_of(row["timestamp"]).isoformat()} for row in rows]
        references = [
            self._reference(upload) for upload in uploads if upload["kind"] == "reference" and upload["received"]
        ]
        return {"days": days, "references": references, "uploads": uploads}

    def _reference(self, upload: dict[str, Any]) -> dict[str, Any]:
        row = self._store.row("SELECT payload FROM uploads WHERE id = ? AND part = ?", upload["id"], upload["part"])
        views = decode(row["payload"]) if row and upload["error"] is None else []
        return {**upload, "profiles": [describe(view) for view in views]}


def describe(view: DatasetProfileView) -> dict[str, Any]:
    from driftwatch.drift.whylogs_profiles import confusion_counts, summary

    return {"columns": summary(view), "confusion": confusion_counts(view)}


def classification(counts: list[list[int]], metric: str) -> float | None:
    """Accuracy, or the mean over classes of precision, recall or f1; `counts[target][prediction]`."""
    total = sum(map(sum, counts))
    if metric not in ("accuracy", "precision", "recall", "f1"):
        raise ValueError(f"unknown metric classification.{metric}")
    if not total:
        return None
    if metric == "accuracy":
        return sum(counts[i][i] for i in range(len(counts))) / total
    values = []
    for i, row in enumerate(counts):
        predicted, actual, right = sum(other[i] for other in counts), sum(row), row[i]
        precision, recall = right / predicted if predicted else 0.0, right / actual if actual else 0.0
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        values.append({"precision": precision, "recall": recall, "f1": f1}[metric])
    return sum(values) / len(values)
