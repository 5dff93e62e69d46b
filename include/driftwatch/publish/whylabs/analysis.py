"""What WhyLabs' accuracy monitors say about a day.

A day is judged only once each analyzer has a result for it. Until then it is "not analysed": that is neither an anomaly nor the lack of
one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, cast

from driftwatch.artifacts.accuracy import AnalysisVerdict, WhyLabsAnalysis
from driftwatch.errors import DamagedArtifact
from driftwatch.publish.whylabs.monitors import FLOOR, TREND, analyzer_id

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.publish.whylabs.api import Document, WhyLabsApi

# WhyLabs computes the same quotient of the same counts; one label more or less changes it by far more.
_SAME = 1e-4


@dataclass(frozen=True)
class Result:
    """What one analyzer found about a day. `value`: the accuracy that it judged; None where it failed, or has none. `failure`: why it
    failed, in WhyLabs' words. `document`: the whole, as WhyLabs gives it."""

    analyzer: str
    value: float | None
    lower: float | None
    upper: float | None
    anomaly: bool
    failure: str | None
    document: Document

    @classmethod
    def of(cls, document: Document) -> Result:
        failed = bool(document.get("failedAnalysis"))
        failure = f"{document.get('failureType')} {document.get('failureExplanation') or ''}".strip()
        return cls(
            analyzer=str(document["analyzerId"]),
            value=None if failed else _number(document, "metricValue"),
            lower=_number(document, "lowerThreshold"),
            upper=_number(document, "upperThreshold"),
            anomaly=bool(document.get("isAnomaly")),
            failure=failure if failed else None,
            document=document,
        )

    @property
    def is_there(self) -> bool:
        """A row without a value that has not failed either says nothing yet."""
        return self.value is not None or self.failure is not None

    @property
    def is_too_low(self) -> bool:
        """An accuracy above the usual is an anomaly for WhyLabs too, and no alarm."""
        too_high = self.value is not None and self.upper is not None and self.value > self.upper
        return self.value is not None and self.anomaly and not too_high

    def is_about(self, accuracy: float) -> bool:
        """Whether it judged this accuracy, and no other data of the day."""
        return self.value is None or abs(self.value - accuracy) <= _SAME


@dataclass(frozen=True)
class Findings:
    """What the analyzers found about a day whose `accuracy` was uploaded: those of them that there are, in the analyzers' order.

    `missing`: the analyzers without a result.
    """

    day: date
    accuracy: float
    verdict: AnalysisVerdict
    results: tuple[Result, ...]
    missing: tuple[str, ...]


def _number(document: Document, name: str) -> float | None:
    return cast("float | None", document.get(name))


def sent_accuracy(profile: bytes) -> float:
    """The accuracy in a performance profile, as WhyLabs computes it: right answers among all."""
    from driftwatch.drift.whylogs_profiles import confusion_counts, read_profile

    matrix = confusion_counts(read_profile(profile))
    if matrix is None:
        raise DamagedArtifact(
            "the day's performance.bin has no confusion matrix: clear evaluate_performance of the day, which writes it"
        )
    counts = matrix["counts"]
    return sum(counts[i][i] for i in range(len(counts))) / sum(map(sum, counts))


def accuracy_analyzers(config: MonitorConfig) -> tuple[str, str]:
    """The ids of the fixed-threshold analyzer and the trailing-window one."""
    return analyzer_id(config, FLOOR), analyzer_id(config, TREND)


def read_analysis(
    api: WhyLabsApi,
    day: date,
    analyzers: tuple[str, str],
    accuracy: float,
    in_words: Callable[[Findings], Sequence[str]],
) -> WhyLabsAnalysis:
    """What whylabs.json keeps of a day. `analyzers`: see `accuracy_analyzers`; `accuracy`: of what was uploaded for the day;
    `in_words`: says why, as `view.analysis.reasons` does.
    """
    found = find_analysis(api, day, analyzers, accuracy)
    rows = tuple(result.document for result in found.results)
    return WhyLabsAnalysis(verdict=found.verdict, reasons=tuple(in_words(found)), rows=rows)


def find_analysis(api: WhyLabsApi, day: date, analyzers: tuple[str, str], accuracy: float) -> Findings:
    """Asks WhyLabs, and judges what it says.

    - `alert`: one of the analyzers found the accuracy too low.
    - `not_analysed`: one has no result yet, or one about other data than was uploaded.
    - `not_enough_evidence`: the threshold's analysis failed.
    - `ok`: the accuracy is above the threshold, and not too low for the days before, where there are enough of those.
    """
    there = {one.analyzer: one for one in map(Result.of, api.analysis_results(day, analyzers)) if one.is_there}
    results = tuple(there[name] for name in analyzers if name in there)
    missing = tuple(name for name in analyzers if name not in there)
    return Findings(day, accuracy, _verdict(results, missing, accuracy), results, missing)


def _verdict(results: tuple[Result, ...], missing: tuple[str, ...], accuracy: float) -> AnalysisVerdict:
    """`results` are in the analyzers' order: where none is missing, the threshold's comes first."""
    if not all(one.is_about(accuracy) for one in results):
        return "not_analysed"
    if any(one.is_too_low for one in results):
        return "alert"
    if missing:
        return "not_analysed"
    return "ok" if results[0].failure is None else "not_enough_evidence"
