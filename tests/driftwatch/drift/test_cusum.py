"""The trend finds slow drift that no single day shows, keeps its false-alarm rate, and depends on the stored days alone."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from driftwatch.drift.cusum import ScoredDay, _compared, day_scores, limit, run_charts, trend


def days_of(scores: np.ndarray, n: int = 100) -> list[ScoredDay]:
    columns = [f"f{place}" for place in range(scores.shape[1])]
    return [
        ScoredDay(date(2026, 1, 1) + timedelta(days=number), n, dict(zip(columns, row, strict=True)))
        for number, row in enumerate(scores.tolist())
    ]


def test_a_days_score_is_the_mean_normal_score_of_its_images():
    rng = np.random.default_rng(0)
    reference = pd.DataFrame({"a": np.exp(rng.normal(size=4000)), "b": 1.0})
    day = pd.DataFrame({"a": np.exp(rng.normal(0.5, 1, 2000)), "b": 1.0})
    found = day_scores(day, reference, None)
    assert found["a"] == pytest.approx(0.5, abs=0.06)
    assert found["b"] == pytest.approx(0, abs=1e-3)
    first_half = np.repeat([[1.0, 1.0], [0.0, 0.0]], 1000, axis=0)
    assert day_scores(day, reference, first_half)["a"] == pytest.approx(
        day_scores(day[:1000], reference, None)["a"], abs=1e-5
    )


def test_without_drift_the_comparisons_are_independent_standard_normals_whatever_the_references_own_error():
    rng = np.random.default_rng(1)
    sizes = rng.integers(40, 400, 60)
    scores = 0.3 + rng.normal(size=(60, 400)) / np.sqrt(sizes)[:, None]
    found = _compared(scores, sizes.astype(float))[3:]
    assert stats.kstest(found[5:].ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(found)[np.triu_indices(len(found), 1)]).mean() < 0.06


def test_slow_drift_is_found_named_directed_and_dated():
    rng = np.random.default_rng(2)
    scores = rng.normal(0, 0.1, (60, 5))
    scores[20:, 3] -= 0.012 * np.arange(40)
    found = trend(days_of(scores), 0.2)
    assert (found.verdict, found.feature, found.direction) == ("drifted", "f3", "down")
    assert date(2026, 1, 13) <= found.since <= date(2026, 2, 13)
    crossings = [number for number in range(7, 61) if trend(days_of(scores)[:number], 0.2).crossed]
    assert len(crossings) == 1


@pytest.mark.all_faults("it reckons thirty years")
def test_false_alarms_stay_below_the_stated_number_a_year():
    """30 years of daily data at a stated two a year: 60 at most, and not far fewer."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(30):
        common = rng.normal(size=(365, 1))
        compared = _compared(0.6 * common + 0.8 * rng.normal(size=(365, 4)), np.full(365, 100.0))
        on = run_charts(compared, limit(8, 2.0)).alarmed.any(axis=1)
        alarms += int((on[1:] & ~on[:-1]).sum())
    assert 15 <= alarms <= 75


def test_too_few_days_are_not_enough_evidence_and_constants_no_trend():
    scores = np.zeros((6, 2))
    assert trend(days_of(scores), 0.2).verdict == "not_enough_evidence"
    assert trend([], 0.2).verdict == "not_enough_evidence"
    still = trend(days_of(np.zeros((30, 2))), 0.2)
    assert (still.verdict, still.feature, still.since) == ("ok", None, None)


def test_one_odd_day_is_no_trend():
    scores = np.random.default_rng(4).normal(0, 0.1, (40, 5))
    scores[30, 2] = 5.0
    assert trend(days_of(scores), 0.2).verdict == "ok"
