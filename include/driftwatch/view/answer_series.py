"""What the model's answers tell by day, for the charts: drift of content and of predictions, the trend, and one class at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.view.curves import Axis, Column, Curve, Words, curve
from driftwatch.view.drift_words import content_finding, shares, trend_evidence, trend_finding

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.artifacts.drift import ContentTest, DriftTest, DriftTrend, PredictionsTest
    from driftwatch.artifacts.parts import Interval
    from driftwatch.view.days import Day

MEASURES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
# Rarer than one in a million is drawn as that: a p-value of simulations says no more.
_RAREST = 6.0


@dataclass(frozen=True)
class RareSeries:
    """A kind of drift by day. `rarity`: how seldom so large a difference is without drift, as the power of ten: 2 is one day in 100, at most 6. `limit`:
    the rarity from which it alarms. `said`: what was found."""

    verdict: Words
    rarity: Column
    limit: Column
    p_value: Column
    said: list[str]


@dataclass(frozen=True)
class TrendSeries:
    """The trend by day. `score`: the height of the highest CUSUM chart, which adds up small daily differences; `limit`: where it alarms."""

    verdict: Words
    score: Column
    limit: Column
    said: list[str]


@dataclass(frozen=True)
class ClassSeries:
    """One class by day. `measures`: precision, recall and F1 by the labels; `share`: how often the model answers it; `usual`: how often it does
    in its reference."""

    name: str
    measures: dict[str, Curve]
    share: Column
    usual: Column
    verdict: Words


def content_series(days: Sequence[Day]) -> RareSeries:
    found = [day.content_drift.content if day.content_drift else None for day in days]
    return _rare(found, [_content_said(test) for test in found])


def predictions_series(days: Sequence[Day]) -> RareSeries:
    found = [day.content_drift.predictions if day.content_drift else None for day in days]
    return _rare(found, [_predictions_said(test) for test in found])


def _content_said(test: ContentTest | None) -> str:
    return "–" if test is None else content_finding(test) or test.reason or "as usual"


def _predictions_said(test: PredictionsTest | None) -> str:
    return "–" if test is None else test.reason or shares(test) or "as usual"


def _rare(tests: Sequence[DriftTest | None], said: list[str]) -> RareSeries:
    return RareSeries(
        verdict=[test.verdict if test else None for test in tests],
        rarity=[_rarity(test.p_value) if test else None for test in tests],
        limit=[_rarity(test.false_alarm_rate) if test else None for test in tests],
        p_value=[test.p_value if test else None for test in tests],
        said=said,
    )


def _rarity(chance: float | None) -> float | None:
    if chance is None:
        return None
    return min(_RAREST, max(0.0, -math.log10(chance))) if chance > 0 else _RAREST


def trend_series(days: Sequence[Day]) -> TrendSeries:
    found = [day.drift.trend if day.drift else None for day in days]
    return TrendSeries(
        verdict=[trend.verdict if trend else None for trend in found],
        score=[trend.score if trend else None for trend in found],
        limit=[trend.limit if trend else None for trend in found],
        said=["–" if trend is None else _trend_said(trend) for trend in found],
    )


def _trend_said(trend: DriftTrend) -> str:
    return trend_finding(trend) or trend_evidence(trend)


def class_series(days: Sequence[Day], name: str) -> ClassSeries:
    """The class over the days; None on a day that did not measure it."""
    measured = [day.performance for day in days]
    rows = [_share_of(day, name) for day in days]
    axis = Axis(
        days=[day.day for day in days],
        models=[day.model for day in days],
        labels=[_support(found, name) for found in measured],
    )
    return ClassSeries(
        name=name,
        measures={kind: curve((_of_class(found, name, kind) for found in measured), axis) for kind in MEASURES},
        share=[row[0] for row in rows],
        usual=[row[1] for row in rows],
        verdict=[day.content_drift.predictions.verdict if day.content_drift else None for day in days],
    )


def _share_of(day: Day, name: str) -> tuple[float | None, float | None]:
    classes = day.content_drift.predictions.classes if day.content_drift else ()
    return next(((row.day, row.reference) for row in classes if row.name == name), (None, None))


def _support(found: Performance | None, name: str) -> float | None:
    return found.classes[name].support if found and name in found.classes else None


def _of_class(found: Performance | None, name: str, kind: str) -> Interval | None:
    share: Interval | None = getattr(found.classes[name], kind) if found and name in found.classes else None
    return share
