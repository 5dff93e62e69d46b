"""A monitor's days as columns. The monitor's page draws them in the browser; the report draws them as SVG. A value that was not measured
is None."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.parts import Interval
from driftwatch.view import tones
from driftwatch.view.answer_series import (
    MEASURES,
    RareSeries,
    TrendSeries,
    content_series,
    predictions_series,
    trend_series,
)
from driftwatch.view.curves import Axis, Column, Curve, Words, curve, text_of
from driftwatch.view.days import Day
from driftwatch.view.feature_words import words_of
from driftwatch.view.models import HANDED_OVER
from driftwatch.view.volume_series import CostSeries, cost_series, images_series
from driftwatch.view.words import direction

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.view.models import Retraining

_OTHERS = {"corrected": "corrected for wrong labels", "estimated": "estimate from scores, without labels"}
# Verdicts that the charts mark, of images and of the model.
_MARKED = ("drifted", "alert", "ok", "not_enough_evidence")
_DECISIONS = ("promote", "keep", "not_enough_evidence")


@dataclass(frozen=True)
class DriftSeries:
    """The test of image quality by day: the verdict, its p-value, and how many images it looked at."""

    verdict: Words
    p_value: Column
    n: Column


@dataclass(frozen=True)
class FeatureSeries:
    """One feature by day: the tests' outcome, and the day's five quantiles. `references`: those of the reference, each once;
    `reference_of`: which of them the day was tested against. `unit`, `higher`, `lower`, `tip`: as in `feature_words`; `looks`: what a change
    looks like in the day's pictures, where the feature moved."""

    name: str
    unit: str
    higher: str
    lower: str
    tip: str
    verdict: Words
    effect: Column
    p_value: Column
    looks: Words
    quantiles: list[tuple[float, ...] | None]
    references: list[tuple[float, ...]]
    reference_of: list[int | None]
    reference_version: Words

    def usual(self, place: int) -> tuple[float, ...] | None:
        """The reference's quantiles that the day at `place` was tested against; None where it was not tested."""
        which = self.reference_of[place]
        return None if which is None else self.references[which]


@dataclass(frozen=True)
class PerformanceSeries:
    """The model by day. `corrected` and `estimated` are None where no day has them; `others` names those that are there. One class is
    `answer_series.class_series`.

    `alpha`: agreement of the annotators; `unanimous`: share of
    the labels that every vote gave. `counted`: whether the day has a confusion matrix of the monitor's classes.
    """

    accuracy: Curve
    corrected: Curve | None
    estimated: Curve | None
    others: dict[str, str]
    floor: Column
    floor_text: list[str]
    verdict: Words
    labels: Column
    sampled: Column
    alpha: Column
    unanimous: list[str]
    counted: list[bool]


@dataclass(frozen=True)
class Takeover:
    """The first day of another model: of another registered one, or of another version of production's."""

    day: str
    version: str


@dataclass(frozen=True)
class ChartWords:
    """The words and tones that the charts show. They stand here, so that the script of the page needs none of its own.

    `verdicts`, `tones`: by verdict. `gates`: by the gate's decision. `measures`: by share of a class.
    """

    verdicts: dict[str, str]
    tones: dict[str, str]
    gates: dict[str, str]
    measures: dict[str, str]


@dataclass(frozen=True)
class Series:
    """Each list has one entry for each day of `days`. `tone` and `said`: the day's worst verdict, and in words. `version`: the model that
    answered the day; `champion`: the version that production serves now."""

    monitor: str
    classes: tuple[str, ...]
    days: list[str]
    tone: list[str]
    said: list[str]
    version: Words
    champion: str | None
    images: dict[str, Column]
    cost: CostSeries | None
    drift: DriftSeries
    content: RareSeries
    predictions: RareSeries
    trend: TrendSeries
    features: dict[str, FeatureSeries]
    performance: PerformanceSeries
    takeovers: list[Takeover]
    retrainings: list[Retraining]
    words: ChartWords


def series(
    days: Sequence[Day], config: MonitorConfig, retrainings: Iterable[Retraining] = (), champion: str | None = None
) -> Series:
    """The days as columns. `retrainings`: as `models.retrainings` gives them; `champion`: the version that production serves."""
    drifts = [row.drift for row in days]
    return Series(
        monitor=config.name,
        classes=tuple(config.classes),
        days=[row.day.isoformat() for row in days],
        tone=[row.tone for row in days],
        said=[row.said for row in days],
        version=[row.model for row in days],
        champion=champion,
        images=images_series(days),
        cost=cost_series(days),
        drift=DriftSeries(
            verdict=[found.verdict if found else None for found in drifts],
            p_value=[found.p_value if found else None for found in drifts],
            n=[found.n if found else None for found in drifts],
        ),
        content=content_series(days),
        predictions=predictions_series(days),
        trend=trend_series(days),
        features=_features(days),
        performance=_performance(days, config),
        takeovers=takeovers(days),
        retrainings=list(retrainings),
        words=chart_words(),
    )


def takeovers(days: Iterable[Day]) -> list[Takeover]:
    """The first day of each other registered model, and of each other version of production's. On a day that is not answered yet,
    production's version is taken to be that of the day before."""
    known: list[tuple[str, str, str | None]] = []
    for row in days:
        if row.version:
            same = known and known[-1][1] == row.version
            known.append((row.day.isoformat(), row.version, row.serving or (known[-1][2] if same else None)))
    changes = []
    for (_, old, before), (day, new, now) in pairwise(known):
        if new != old:
            changes.append(Takeover(day, new))
        elif before is not None and now is not None and now != before:
            changes.append(Takeover(day, now))
    return changes


def chart_words() -> ChartWords:
    return ChartWords(
        verdicts={verdict: tones.name(verdict) for verdict in _MARKED},
        tones={verdict: tones.of_chart(verdict) for verdict in _MARKED},
        gates={**{decision: tones.gate_text(decision) for decision in _DECISIONS}, HANDED_OVER: tones.HANDED_OVER},
        measures=MEASURES,
    )


def _features(days: Sequence[Day]) -> dict[str, FeatureSeries]:
    columns = dict.fromkeys(row.feature for day in days if day.drift for row in day.drift.features)
    return {column: _feature(column, days) for column in columns}


def _feature(column: str, days: Sequence[Day]) -> FeatureSeries:
    rows = [day.feature(column) for day in days]
    quantiles = [row.day_quantiles or None if row else None for row in rows]
    usual = [row.reference_quantiles if row and row.day_quantiles and row.reference_quantiles else None for row in rows]
    references = list(dict.fromkeys(found for found in usual if found))

    def column_of(name: str) -> list[float | None]:
        return [getattr(row, name) if row else None for row in rows]

    words = words_of(column)
    return FeatureSeries(
        name=words.name,
        unit=words.unit,
        higher=words.higher,
        lower=words.lower,
        tip=words.tip,
        verdict=[row.verdict if row else None for row in rows],
        effect=column_of("effect"),
        p_value=column_of("p_value"),
        looks=[direction(row) if row and row.verdict == "drifted" else None for row in rows],
        quantiles=quantiles,
        references=references,
        reference_of=[references.index(found) if found else None for found in usual],
        reference_version=[day.drift.reference_version if day.drift else None for day in days],
    )


def _performance(days: Sequence[Day], config: MonitorConfig) -> PerformanceSeries:
    measured = [row.performance for row in days]
    axis = Axis(
        days=[row.day for row in days],
        models=[row.model for row in days],
        labels=[found.labels if found else None for found in measured],
    )
    corrected = curve((found.corrected if found else None for found in measured), axis)
    estimated = curve((_estimate(row) for row in days), axis)
    others = {"corrected": corrected, "estimated": estimated}
    there = {name for name, found in others.items() if any(value is not None for value in found.value)}

    def numbers(name: str) -> Column:
        return [getattr(found, name) if found else None for found in measured]

    return PerformanceSeries(
        accuracy=curve((found.accuracy if found else None for found in measured), axis),
        corrected=corrected if "corrected" in there else None,
        estimated=estimated if "estimated" in there else None,
        others={name: said for name, said in _OTHERS.items() if name in there},
        floor=numbers("floor"),
        floor_text=[text_of(found.floor if found else None) for found in measured],
        verdict=[found.verdict if found else None for found in measured],
        labels=numbers("labels"),
        sampled=[_asked(found) if found else None for found in measured],
        alpha=[found.agreement.alpha if found else None for found in measured],
        unanimous=[text_of(found.agreement.unanimous if found else None) for found in measured],
        counted=[bool(found and found.confusion_matrix.labels == config.classes) for found in measured],
    )


def _asked(found: Performance) -> int:
    """The images that might have a label: the sample, or every image where a table says what is in them."""
    return found.truth.images if found.truth else found.sampled


def _estimate(row: Day) -> Interval | None:
    if row.estimate:
        return row.estimate.accuracy
    return row.performance.estimated if row.performance else None
