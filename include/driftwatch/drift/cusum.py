"""The trend over days: slow drift that no single day shows, by self-starting CUSUM charts on each feature.

A CUSUM chart adds up how far each day lies above (or below) what is usual, less a slack, and never falls below 0. A small shift that
stays makes it rise day by day. "Self-starting": what is usual is learnt from the days before, not from a period of calibration.

Each day gives one number for each feature: the mean of its images' normal scores by the reference's distribution. A day is compared
with the mean and the spread of the days before it, not with the reference. The reference's own sampling error is the same every day,
and would add up. And real days differ by more than the chance of their images (weather, subjects), which only days can tell.
Without drift the comparisons are independent standard normal numbers (Hawkins, 1987, "Self-starting CUSUM charts for location and
scale", The Statistician 36). Each feature has an upward and a downward chart. Their common limit comes from Siegmund's approximation of
the time to a false alarm (Sequential Analysis, 1985), added up over all charts: the stated number of false alarms a year is an upper
bound.

Everything is computed from the days' stored drift.json, so that repeated and backfilled days give the same result.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

from driftwatch.artifacts.drift import DriftTrend
from driftwatch.drift.reference import DRIFTED, NOT_ENOUGH_EVIDENCE, OK

MIN_DAYS = 7
MOST_DAYS = 730
DAYS_A_YEAR = 365
# Half of the shift that the chart finds soonest: a shift of a day's mean, in standard deviations of such means.
SLACK = 0.25
_SIEGMUND = 1.166
# No comparison counts for more: one odd day must not raise the alarm alone. Without drift, one day in 16,000 lies beyond.
_MOST = 4.0


def day_scores(values: pd.DataFrame, reference: pd.DataFrame, weights: np.ndarray | None) -> dict[str, float]:
    """The mean normal score of each feature: an image at the reference's median scores 0, one above 84 % of it scores 1.

    `weights` [n, features]: how much of an independent image each is; None where each is one.
    """
    found = {}
    for place, column in enumerate(reference.columns):
        theirs = np.sort(reference[column].to_numpy())
        ours = values[column].to_numpy()
        ranks = (np.searchsorted(theirs, ours, "left") + np.searchsorted(theirs, ours, "right")) / 2
        normal = stats.norm.ppf((ranks + 0.5) / (len(theirs) + 1))
        mean = np.average(normal, weights=None if weights is None else weights[:, place])
        found[column] = round(float(mean), 6)
    return found


def limit(charts: int, false_alarms_per_year: float) -> float:
    """The height at which `charts` CUSUMs together raise `false_alarms_per_year` in a year of daily data."""
    wanted = DAYS_A_YEAR * charts / false_alarms_per_year

    def too_long(b: float) -> float:
        return (math.exp(2 * SLACK * b) - 2 * SLACK * b - 1) / (2 * SLACK**2) - wanted

    return brentq(too_long, 1e-3, 200) - _SIEGMUND


class ScoredDay(NamedTuple):
    """What the trend needs of a day: `n`, its independent images, and `scores`, the `day_scores` of each feature."""

    day: date
    n: int
    scores: Mapping[str, float]


def trend(days: Sequence[ScoredDay], false_alarms_per_year: float, muted: Collection[str] = ()) -> DriftTrend:
    """The trend up to the last of `days`, oldest first. `muted` features have no charts."""
    nothing = DriftTrend(
        verdict=NOT_ENOUGH_EVIDENCE,
        days=len(days),
        score=None,
        limit=None,
        false_alarms_per_year=false_alarms_per_year,
        feature=None,
        direction=None,
        since=None,
        crossed=False,
    )
    features = sorted(set(days[-1].scores) - set(muted)) if days else []
    if len(days) < MIN_DAYS or not features:
        return nothing
    comparisons = _compared(
        np.array([[day.scores[feature] for feature in features] for day in days]),
        np.array([day.n for day in days], float),
    )
    allowed = limit(2 * len(features), false_alarms_per_year)
    charts = run_charts(comparisons, allowed)
    height, alarmed = charts.height[-1], charts.alarmed[-1]
    top = int(np.where(alarmed | ~alarmed.any(), height, -1.0).argmax())
    found = nothing.model_copy(
        update={
            "verdict": DRIFTED if alarmed.any() else OK,
            "score": round(float(height[top]), 4),
            "limit": round(allowed, 4),
            "crossed": bool(alarmed.any() and not charts.alarmed[-2].any()),
        }
    )
    if height[top] <= 0:
        return found
    return found.model_copy(
        update={
            "feature": features[top % len(features)],
            "direction": "up" if top < len(features) else "down",
            "since": days[int(charts.started[top])].day,
        }
    )


class Charts(NamedTuple):
    """`height` and `alarmed` [days, charts], upward charts first; `started` [charts], where the last rise from 0 began."""

    height: np.ndarray
    alarmed: np.ndarray
    started: np.ndarray


def run_charts(comparisons: np.ndarray, allowed: float) -> Charts:
    """The charts of `comparisons` [days, features].

    A chart is alarmed from the day on which it rises above `allowed` until it is back at 0. So one change raises one alarm, not one
    each time that the chart crosses the limit.
    """
    steps = np.concatenate([comparisons, -comparisons], axis=1)
    height, alarmed = np.zeros(steps.shape), np.zeros(steps.shape, bool)
    now, on, started = np.zeros(steps.shape[1]), np.zeros(steps.shape[1], bool), np.zeros(steps.shape[1], int)
    for index, step in enumerate(steps):
        started = np.where(now <= 0, index, started)
        now = np.maximum(0.0, now + step - SLACK)
        on = (on & (now > 0)) | (now > allowed)
        height[index], alarmed[index] = now, on
    return Charts(height, alarmed, started)


def _compared(values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Each day against those before it, as standard normal numbers [days, features]; 0 for the first two days."""
    found = np.zeros(values.shape)
    weight, mean, squares = sizes[0], values[0], np.zeros(values.shape[1])
    for index in range(1, len(values)):
        value, size = values[index], sizes[index]
        difference = value - mean
        freedom = index - 1
        if freedom:
            spread = np.sqrt(squares / freedom * (1 / size + 1 / weight))
            ratio = np.divide(difference, spread, out=np.zeros_like(difference), where=spread > 0)
            tail = stats.norm.isf(stats.t.sf(np.abs(ratio), freedom))
            found[index] = np.sign(ratio) * np.minimum(tail, _MOST)
        squares = squares + np.square(difference) * size * weight / (size + weight)
        mean, weight = mean + difference * size / (size + weight), weight + size
    return found
