"""Runs a dataset's analyzers on its days. A day that was not analysed has no result rows at all."""

from __future__ import annotations

import asyncio
import math
import statistics
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from driftwatch_sandbox.whylabs.days import Days, decode
from driftwatch_sandbox.whylabs.store import DAY_MS, Settings, Store, now_ms

if TYPE_CHECKING:
    from whylogs.core import DatasetProfileView

_BINS = 30
Limits = tuple[float | None, float | None]  # lower, upper


class _Failed(Exception):
    """An analysis that ends as a row without a judgement."""

    def __init__(self, kind: str, explanation: str) -> None:
        super().__init__(explanation)
        self.kind = kind


class Analyst:
    """Computes result rows (drift, fixed and stddev analyzers; others are recorded as failed) and stores them.

    It does as WhyLabs does (github.com/whylabs/whylabs-oss, BaseCalculationV3). An analyzer without a schedule is off. A target without the
    metric gives no row: so a day is analysed when its performance has arrived. A baseline that is too short gives a row with a failure.
    A row that is there is kept, whatever arrives later, until it is deleted or somebody asks again.
    """

    def __init__(self, store: Store, settings: Settings, days: Days) -> None:
        self._store = store
        self._settings = settings
        self._days = days
        self.wake: Callable[[], object] = lambda: None

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """While the block runs, each day is analysed `analyse_seconds` after its last upload. `wake` says that there is something new."""
        loop, new, ended = asyncio.get_running_loop(), asyncio.Event(), False

        async def work() -> None:
            while not ended:
                new.clear()
                wait = await asyncio.to_thread(self.analyse_due)
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(new.wait(), wait)

        if self._settings.analyse_seconds is None:
            yield
            return
        self.wake = lambda: loop.call_soon_threadsafe(new.set)
        working = asyncio.create_task(work())
        yield
        ended = True
        new.set()
        await working

    def analyse_due(self) -> float | None:
        """Analyses each day that is due, in order. Returns the seconds until the next one is due; None if none waits."""
        waits = []
        delay = (self._settings.analyse_seconds or 0) + self._settings.ingest_seconds
        for dataset in self._settings.datasets:
            for start, newest in self._days.newest(dataset):
                if newest <= (self._store.document(dataset, "analysed", f"{start:015d}") or 0):
                    continue
                wait = newest / 1000 + delay - now_ms() / 1000
                if wait <= 0:
                    self.analyse(dataset, start)
                    self._store.put_document(dataset, "analysed", f"{start:015d}", newest)
                else:
                    waits.append(wait)
        return min(waits, default=None)

    def analyse(self, dataset: str, start: int, again: bool = False) -> int:
        """Stores the day's rows, and returns their number. `again`: also for analyzers that have run on the day."""
        have = {(row["analyzerId"], row["column"]) for row in self._results(dataset, start) if not again}
        rows = []
        if self._days.merged(dataset, start).get("") is not None:
            for analyzer in self._store.documents(dataset, "analyzer"):
                if analyzer.get("disabled") or not analyzer.get("schedule"):
                    continue
                for column in self._targets(dataset, start, analyzer):
                    if (analyzer["id"], column) not in have:
                        rows.append(self._row(dataset, start, analyzer, column))
        found = [row for row in rows if row is not None]
        with self._store.transaction():
            for row in found:
                self._store.put_document(dataset, "result", f"{start:015d}/{row['analyzerId']}/{row['column']}", row)
        return len(found)

    def _results(self, dataset: str, start: int) -> list[dict[str, Any]]:
        return [row for row in self._store.documents(dataset, "result") if row["datasetTimestamp"] == start]

    def _targets(self, dataset: str, start: int, analyzer: dict[str, Any]) -> list[str]:
        matrix = analyzer["targetMatrix"]
        if matrix.get("type") == "dataset":
            return ["__internal__.datasetMetrics"]
        columns = self._days.merged(dataset, start)[""].get_columns()

        def listed(column: str, patterns: Sequence[str]) -> bool:
            return any(fnmatchcase(column, pattern) for pattern in patterns)

        include, exclude = matrix.get("include", ["*"]), matrix.get("exclude") or []
        return [column for column in sorted(columns) if listed(column, include) and not listed(column, exclude)]

    def _row(self, dataset: str, start: int, analyzer: dict[str, Any], column: str) -> dict[str, Any] | None:
        """The analyzer's judgement of a column. None if the day has no such metric."""
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
            found = self._judge(dataset, start, config, column)
        except _Failed as error:
            return {**row, "failedAnalysis": True, "failureType": error.kind, "failureExplanation": str(error)}
        if found is None:
            return None
        value, (lower, upper) = found
        outside = (lower is not None and value < lower) or (upper is not None and value > upper)
        return {**row, "isAnomaly": outside, "metricValue": value, "lowerThreshold": lower, "upperThreshold": upper}

    def _judge(self, dataset: str, start: int, config: dict[str, Any], column: str) -> tuple[float, Limits] | None:
        kind = config.get("type")
        if kind == "drift":
            target = self._days.merged(dataset, start)[""]
            if not _has_distribution(target, column):
                return None
            baseline = self._baseline_views(dataset, start, config)
            distances = [distance(view, target, column, config.get("algorithm", "hellinger")) for view in baseline]
            return statistics.fmean(distances), (None, config["threshold"])
        if kind not in ("fixed", "stddev"):
            raise _Failed("CalculationException", f"analyzers of type {kind} are not computed by this server")
        try:
            value = self._days.metric(dataset, start, config["metric"], column)
        except ValueError as error:
            raise _Failed("MetricException", str(error)) from error
        if value is None:
            return None
        if kind == "fixed":
            return value, (config.get("lower"), config.get("upper"))
        lower, upper = self._spread(dataset, start, config, column)
        one_sided = config.get("thresholdType")
        return value, (None if one_sided == "upper" else lower, None if one_sided == "lower" else upper)

    def _spread(self, dataset: str, start: int, config: dict[str, Any], column: str) -> tuple[float, float]:
        """Mean minus and plus `factor` standard deviations of the metric in the trailing window."""
        size = config["baseline"].get("size", 7)
        days = self._days.starts(dataset, start - size * DAY_MS, start)
        found = [self._days.metric(dataset, day, config["metric"], column) for day in days]
        known = [number for number in found if number is not None]
        needed = max(2, min(config.get("minBatchSize", 1), size))
        if len(known) < needed:
            raise _Failed("InsufficientBaseline", f"{len(known)} values in the trailing window, {needed} are needed")
        spread = config.get("factor", 3) * statistics.stdev(known)
        return statistics.fmean(known) - spread, statistics.fmean(known) + spread

    def _baseline_views(self, dataset: str, start: int, config: dict[str, Any]) -> list[DatasetProfileView]:
        baseline = config["baseline"]
        if baseline["type"] == "Reference":
            row = self._store.row(
                "SELECT payload FROM uploads WHERE dataset = ? AND kind = 'reference' AND live = 1 AND error IS NULL"
                " AND payload IS NOT NULL AND (id = ? OR alias = ?) ORDER BY number DESC",
                dataset, baseline["profileId"], baseline["profileId"],
            )  # fmt: skip
            if row is None:
                raise _Failed("RollupBaselineRequired", f"reference profile {baseline['profileId']} not found")
            return decode(row["payload"])
        return [self._days.merged(dataset, day)[""] for day in self._trailing(dataset, start, config)]

    def _trailing(self, dataset: str, start: int, config: dict[str, Any]) -> list[int]:
        size = config["baseline"].get("size", 7)
        found = self._days.starts(dataset, start - size * DAY_MS, start)
        found = [day for day in found if "" in self._days.merged(dataset, day)]
        needed = config.get("minBatchSize", 1)
        if len(found) < max(1, needed):
            raise _Failed("InsufficientBaseline", f"{len(found)} batches in the trailing window, {needed} are needed")
        return found

    def _monitors(self, dataset: str, analyzer_id: str) -> list[str]:
        monitors = self._store.documents(dataset, "monitor")
        return [monitor["id"] for monitor in monitors if analyzer_id in monitor["analyzerIds"]]


def distance(baseline: DatasetProfileView, target: DatasetProfileView, column: str, algorithm: str) -> float:
    """The distance between the column's two histograms. All bins over both ranges are equally wide."""
    if not _has_distribution(baseline, column):
        raise _Failed("CalculationException", f"column {column} has no distribution in the baseline")
    sketches = [view.get_column(column).get_metric("distribution").kll.value for view in (baseline, target)]
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
    raise _Failed(
        "CalculationException", f"drift algorithm {algorithm}: allowed are hellinger, jensenshannon, kl_divergence, psi"
    )


def _has_distribution(view: DatasetProfileView, column: str) -> bool:
    found = view.get_column(column)
    metric = found.get_metric("distribution") if found else None
    return metric is not None and not metric.kll.value.is_empty()


def _kl(p: list[float], q: list[float]) -> float:
    tiny = 1e-6
    return sum(a * math.log(a / max(b, tiny)) for a, b in zip(p, q, strict=True) if a > 0)
