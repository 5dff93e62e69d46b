"""What WhyLabs' accuracy monitors say about a day. "Not analysed yet" is not "no anomaly": a row is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from driftwatch.publish.monitors import FLOOR, TREND, analyzer_id

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.config import MonitorConfig
    from driftwatch.publish.whylabs import WhyLabsApi

Verdict = Literal["ok", "alert", "not_enough_evidence", "not_analysed"]
NOT_ANALYSED: Verdict = "not_analysed"
# WhyLabs computes the same quotient of the same counts; one label more or less changes it by far more.
_SAME = 1e-4


@dataclass(frozen=True)
class Analysis:
    """`rows`: the results that it rests on, as WhyLabs gives them."""

    verdict: Verdict
    reasons: list[str]
    rows: list[dict[str, Any]] = field(default_factory=list)


def sent_accuracy(profile: bytes) -> float:
    """The accuracy in a performance profile, as WhyLabs computes it: right answers among all."""
    from driftwatch.drift.whylogs_profiles import confusion_counts, read_profile

    matrix = confusion_counts(read_profile(profile))
    if matrix is None:
        raise ValueError("the profile has no confusion matrix")
    counts = matrix["counts"]
    return sum(counts[i][i] for i in range(len(counts))) / sum(map(sum, counts))


def accuracy_analyzers(config: MonitorConfig) -> tuple[str, str]:
    """The ids of the fixed-threshold analyzer and the trailing-window one."""
    return analyzer_id(config, FLOOR), analyzer_id(config, TREND)


def read_analysis(api: WhyLabsApi, day: date, analyzers: tuple[str, str], accuracy: float) -> Analysis:
    """`analyzers`: see `accuracy_analyzers`; `accuracy`: of what was uploaded for the day.

    - `alert`: one of them found the accuracy too low.
    - `not_analysed`: one has no row yet, or a row about other data than was uploaded.
    - `not_enough_evidence`: the threshold's analysis failed.
    - `ok`: the accuracy is above the threshold, and not too low for the days before, where there are enough of those.
    """
    results = api.analysis_results(day, analyzers)
    rows = {r["analyzerId"]: r for r in results if r.get("failedAnalysis") or r.get("metricValue") is not None}
    found = [rows[name] for name in analyzers if name in rows]
    judged = [row for row in found if not row.get("failedAnalysis")]
    other = [row for row in judged if abs(row["metricValue"] - accuracy) > _SAME]
    if other:
        return Analysis(NOT_ANALYSED, [_other_data(row, accuracy) for row in other], found)
    low = [row for row in judged if row["isAnomaly"] and not _too_high(row)]
    if low:
        return Analysis("alert", [_too_low(row) for row in low], found)
    missing = [name for name in analyzers if name not in rows]
    if missing:
        return Analysis(NOT_ANALYSED, [f"{name} has no result for {day}" for name in missing], found)
    failures = [_failure(row) for row in found if row.get("failedAnalysis")]
    floor = rows[analyzers[0]]
    if floor.get("failedAnalysis"):
        return Analysis("not_enough_evidence", failures, found)
    return Analysis("ok", [f"no anomaly in an accuracy of {accuracy:.3f}", *failures], found)


def _too_high(row: dict[str, Any]) -> bool:
    upper = row.get("upperThreshold")
    return upper is not None and row["metricValue"] > upper


def _too_low(row: dict[str, Any]) -> str:
    lower = row.get("lowerThreshold")
    limit = f" is below {lower:.3f}" if lower is not None else " is an anomaly"
    return f"WhyLabs' {row['analyzerId']}: accuracy {row['metricValue']:.3f}{limit}."


def _other_data(row: dict[str, Any], accuracy: float) -> str:
    return (
        f"{row['analyzerId']} judged an accuracy of {row['metricValue']:.4f}, and {accuracy:.4f} was uploaded:"
        " an earlier analysis, or something else writes to the day"
    )


def _failure(row: dict[str, Any]) -> str:
    return (
        f"{row['analyzerId']} gave no judgement: {row.get('failureType')} {row.get('failureExplanation') or ''}".strip()
    )
