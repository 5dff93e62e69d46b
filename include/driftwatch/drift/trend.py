"""The trend over days: slow drift that no single day shows, by self-starting CUSUM charts on each feature.

Each day gives one number a feature: the mean of its images' normal scores by the reference's distribution. A day is compared
with the mean and spread of the days before it, not with the reference: the reference's own sampling error is the same every
day and would add up, and real days differ by more than their images' chance (weather, subjects), which only days can tell.
Without drift the comparisons are independent standard normal numbers (Hawkins, 1987, "Self-starting CUSUM charts for location and
scale", The Statistician 36). Each feature has an upward and a downward CUSUM; their common limit is set by Siegmund's
approximation of the time to a false alarm (Sequential Analysis, 1985) and by adding up over all charts, so that the stated
number of false alarms a year is an upper bound.

Everything is computed from the days' stored drift.json, so that repeated and backfilled days give the same result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

from driftwatch.drift.reference import DRIFTED, NOT_ENOUGH_EVIDENCE, OK

MIN_DAYS = 7
MOST_DAYS = 730
DAYS_A_YEAR = 365
# Half the shift of a day's mean, in its own standard deviations, that the chart is best at.
SLACK = 0.25
_SIEGMUND = 1.166
# One odd day shall not raise the alarm by itself; without drift, one day in 16,000 lies beyond.
_MOST = 4.0


def day_scores(values: pd.DataFrame, reference: pd.DataFrame, weights: np.ndarray | None) -> dict[str, float]:
    """Each feature's mean normal score: an image at the reference's median has 0, one above 84 % of it has 1."""
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


def trend(days: Sequence[Mapping[str, Any]], false_alarms_per_year: float) -> dict[str, Any]:
    """The trend up to the last of `days`, oldest first. Each: day, n (independent images), scores {feature: day_scores}.

    Returns verdict, days, score (the highest chart), limit, false_alarms_per_year, feature, direction and since (the first day
    of that chart's rise; None while it is at 0), and `crossed`: whether the alarm is new on the last day.
    """
    result: dict[str, Any] = {
        "verdict": NOT_ENOUGH_EVIDENCE,
        "days": len(days),
        "score": None,
        "limit": None,
        "false_alarms_per_year": false_alarms_per_year,
        "feature": None,
        "direction": None,
        "since": None,
        "crossed": False,
    }
    if len(days) < MIN_DAYS:
        return result
    features = sorted(days[-1]["scores"])
    comparisons = _compared(
        np.array([[day["scores"][feature] for feature in features] for day in days]),
        np.array([day["n"] for day in days], float),
    )
    allowed = limit(2 * len(features), false_alarms_per_year)
    charts = run_charts(comparisons, allowed)
    height, alarmed = charts.height[-1], charts.alarmed[-1]
    top = int(np.where(alarmed | ~alarmed.any(), height, -1.0).argmax())
    rising = bool(height[top] > 0)
    return {
        **result,
        "verdict": DRIFTED if alarmed.any() else OK,
        "score": round(float(height[top]), 4),
        "limit": round(allowed, 4),
        "feature": features[top % len(features)] if rising else None,
        "direction": ("up" if top < len(features) else "down") if rising else None,
        "since": days[int(charts.started[top])]["day"] if rising else None,
        "crossed": bool(alarmed.any() and not charts.alarmed[-2].any()),
    }


class Charts(NamedTuple):
    """`height` and `alarmed` [days, charts], upward charts first; `started` [charts], where the last rise from 0 began."""

    height: np.ndarray
    alarmed: np.ndarray
    started: np.ndarray


def run_charts(comparisons: np.ndarray, allowed: float) -> Charts:
    """The CUSUMs of `comparisons` [days, features]. A chart is alarmed from the day that it is above `allowed` until it is back
    at 0: one change raises one alarm, not one at each step about the limit."""
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
