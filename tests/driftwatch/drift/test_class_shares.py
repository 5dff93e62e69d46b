"""An exact test of class shares, and whole counts that keep their total."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from driftwatch.drift.class_shares import compare_shares, whole_counts


def test_two_classes_give_fishers_exact_test_with_half_of_the_ties():
    day, reference = [38, 22], [190, 210]
    exact = stats.hypergeom(460, 228, 60)
    deviation = abs(38 - 60 * 228 / 460)
    counts = np.arange(61)
    away = np.abs(counts - 60 * 228 / 460)
    masses = exact.pmf(counts)
    mid_p = masses[away > deviation + 1e-9].sum() + masses[np.abs(away - deviation) < 1e-9].sum() / 2
    found = compare_shares(day, reference, 0.01, 0)
    assert found.p_value == pytest.approx(mid_p, rel=0.06)
    assert found.effect == pytest.approx(38 / 60 - 190 / 400)


def test_many_classes_some_never_seen_and_equal_shares():
    assert compare_shares([10, 0, 30, 20], [100, 0, 300, 200], 0.01, 0).p_value > 0.9
    assert compare_shares([30, 0, 10, 20], [100, 0, 300, 200], 0.01, 0).p_value < 0.001
    assert compare_shares([0, 40], [400, 0], 0.01, 0).p_value < 0.001


def test_class_shares_raise_the_stated_false_alarms():
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(100):
        reference, day = rng.multinomial(300, [0.2, 0.3, 0.5]), rng.multinomial(100, [0.2, 0.3, 0.5])
        alarms += compare_shares(day, reference, 0.1, 0).p_value <= 0.1
    assert 4 <= alarms <= 18


def test_weighted_counts_keep_their_total():
    counts = whole_counts(np.array([0.5, 0.5, 0.25, 1.0, 0.75, 1.0]), np.array([0, 0, 1, 1, 2, 2]), 4)
    assert counts.tolist() == [1, 1, 2, 0]
    assert whole_counts(np.zeros(0), np.zeros(0, int), 2).tolist() == [0, 0]
