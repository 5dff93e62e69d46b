"""Runs a dataset's analyzers for a day. A day that was not analysed has no result rows at all."""

from __future__ import annotations

import math
import statistics
import uuid
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from driftwatch_sandbox.whylabs.days import Days, decode
from driftwatch_sandbox.whylabs.store import DAY_MS, Settings, Store, now_ms

if TYPE_CHECKING:
    from whylogs.core import DatasetProfileView

_BINS = 30
Limits = tuple[float | None, float | None]  # lower, upper


class _NoBaseline(Exception):
    """The baseline has too few batches; the message says how many."""


class Analyst:
    """Computes result rows (drift, fixed and stddev analyzers; others are recorded as failed) and stores them."""

    def __init__(self, store: Store, settings: Settings, days: Days) -> None:
        self._store = store
        self._settings = settings
        self._days = days

    def analyse_due(self, dataset: str) -> None:
        """Analyses each day whose last upload is `analyse_seconds` old and newer than its last analysis."""
        if self._settings.analyse_seconds is None:
            return
        for start in self._days.starts(dataset, 0, 2**62):
            newest = max(row["received"] for row in self._days.uploads(dataset, start, start + DAY_MS))
            analysed = self._store.document(dataset, "analysed", f"{start:015d}") or 0
            if analysed < newest <= now_ms() - self._settings.analyse_seconds * 1000:
                self.analyse(dataset, start)

    def analyse(self, dataset: str, start: int) -> int:
        """Replaces the day's rows; the number of them."""
        rows = []
        if self._days.merged(dataset, start).get("") is not None:
            for analyzer in self._store.documents(dataset, "analyzer"):
                rows += [
                    self._row(dataset, start, analyzer, column) for column in self._targets(dataset, start, analyzer)
                ]
        with self._store.transaction():
            self._store.change(
                "DELETE FROM documents WHERE dataset = ? AND kind = 'result' AND id LIKE ?", dataset, f"{start:015d}/%"
            )
            for row in rows:
                self._store.put_document(dataset, "result", f"{start:015d}/{row['analyzerId']}/{row['column']}", row)
            self._store.put_document(dataset, "analysed", f"{start:015d}", now_ms())
        return len(rows)

    def _targets(self, dataset: str, start: int, analyzer: dict[str, Any]) -> list[str]:
        matrix = analyzer["targetMatrix"]
        if matrix.get("type") == "dataset":
            return ["__internal__.datasetMetrics"]
        columns = self._days.merged(dataset, start)[""].get_columns()

        def listed(column: str, patterns: Sequence[str]) -> bool:
            return any(fnmatchcase(column, pattern) for pattern in patterns)

        include, exclude = matrix.get("include", ["*"]), matrix.get("exclude") or []
        return [column for column in sorted(columns) if listed(column, include) and not listed(column, exclude)]

    def _row(self, dataset: str, start: int, analyzer: dict[str, Any], column: str) -> dict[str, Any]:
        config = analyzer["config"]
        row: dict[str, Any] = {
            "orgId": self._settings.organisation,
            "datasetId": dataset,
            "column": column,
            "segment": {"tags": []},
            "datasetTimestamp": start,
            "analyzerId": analyzer["id"],
            "analysisId": str(uuid.uuid4()),
            "monitorIds": self._monitors(dataset, analyzer["id"]),
            "metric": config.get("metric"),
            "isAnomaly": False,
            "failedAnalysis": False,
            "userMarkedUnhelpful": False,
            "creationTimestamp": now_ms(),
            "targetLevel": analyzer["targetMatrix"].get("type"),
            "analyzerType": config.get("type"),
            "algorithm": config.get("algorithm", config.get("type")),
        }
        try:
            value, (lower, upper) = self._judge(dataset, start, config, column)
        except (_NoBaseline, ValueError) as error:
            return {
                **row,
                "failedAnalysis": True,
                "failureType": "baseline_or_config",
                "failureExplanation": str(error),
            }
        outside = value is not None and ((lower is not None and value < lower) or (upper is not None and value > upper))
        return {**row, "isAnomaly": outside, "metricValue": value, "lowerThreshold": lower, "upperThreshold": upper}

    def _judge(self, dataset: str, start: int, config: dict[str, Any], column: str) -> tuple[float | None, Limits]:
        kind = config.get("type")
        if kind == "drift":
            target = self._days.merged(dataset, start)[""]
            baseline = self._baseline_views(dataset, start, config)
            distances = [distance(view, target, column, config.get("algorithm", "hellinger")) for view in baseline]
            return statistics.fmean(distances), (None, config["threshold"])
        value = self._days.metric(dataset, start, config["metric"], column)
        if kind == "fixed":
            return value, (config.get("lower"), config.get("upper"))
        if kind == "stddev":
            before = self._trailing(dataset, start, config)
            history = [self._days.metric(dataset, day, config["metric"], column) for day in before]
            known = [number for number in history if number is not None]
            if len(known) < 2:
                raise _NoBaseline(f"{len(known)} values in the trailing window, 2 are needed")
            spread = config.get("factor", 3) * statistics.stdev(known)
            return value, (statistics.fmean(known) - spread, statistics.fmean(known) + spread)
        raise ValueError(f"analyzers of type {kind} are not computed by this server")

    def _baseline_views(self, dataset: str, start: int, config: dict[str, Any]) -> list[DatasetProfileView]:
        baseline = config["baseline"]
        if baseline["type"] == "Reference":
            row = self._store.row(
                "SELECT payload FROM uploads WHERE dataset = ? AND kind = 'reference' AND live = 1 AND error IS NULL"
                " AND payload IS NOT NULL AND (id = ? OR alias = ?) ORDER BY number DESC",
                dataset, baseline["profileId"], baseline["profileId"],
            )  # fmt: skip
            if row is None:
                raise _NoBaseline(f"reference profile {baseline['profileId']} not found")
            return decode(row["payload"])
        return [self._days.merged(dataset, day)[""] for day in self._trailing(dataset, start, config)]

    def _trailing(self, dataset: str, start: int, config: dict[str, Any]) -> list[int]:
        size = config["baseline"].get("size", 7)
        found = self._days.starts(dataset, start - size * DAY_MS, start)
        found = [day for day in found if "" in self._days.merged(dataset, day)]
        needed = config.get("minBatchSize", 1)
        if len(found) < max(1, needed):
            raise _NoBaseline(f"{len(found)} batches in the trailing window, {needed} are needed")
        return found

    def _monitors(self, dataset: str, analyzer_id: str) -> list[str]:
        monitors = self._store.documents(dataset, "monitor")
        return [monitor["id"] for monitor in monitors if analyzer_id in monitor["analyzerIds"]]


def distance(baseline: DatasetProfileView, target: DatasetProfileView, column: str, algorithm: str) -> float:
    """Between the column's histograms, on bins that are equally wide over both ranges; ValueError where it has none."""
    found = [view.get_column(column) for view in (baseline, target)]
    metrics = [item.get_metric("distribution") if item else None for item in found]
    sketches = [metric.kll.value for metric in metrics if metric is not None]
    if len(sketches) < 2 or any(sketch.is_empty() for sketch in sketches):
        raise ValueError(f"column {column} has no distribution in the target or in the baseline")
    low = min(sketch.get_min_value() for sketch in sketches)
    high = max(sketch.get_max_value() for sketch in sketches)
    if low == high:
        return 0.0
    edges = [low + (high - low) * i / _BINS for i in range(1, _BINS)]
    p, q = (list(sketch.get_pmf(edges)) for sketch in sketches)
    if algorithm == "hellinger":
        return math.sqrt(sum((math.sqrt(a) - math.sqrt(b)) ** 2 for a, b in zip(p, q, strict=True)) / 2)
    if algorithm == "jensenshannon":
        middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
        return math.sqrt((_kl(p, middle) + _kl(q, middle)) / 2)
    if algorithm == "kl_divergence":
        return _kl(q, p)
    if algorithm == "psi":
        return _kl(p, q) + _kl(q, p)
    raise ValueError(f"drift algorithm {algorithm}: allowed are hellinger, jensenshannon, kl_divergence, psi")


def _kl(p: list[float], q: list[float]) -> float:
    tiny = 1e-6
    return sum(a * math.log(a / max(b, tiny)) for a, b in zip(p, q, strict=True) if a > 0)
