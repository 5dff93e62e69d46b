"""Each score is the logarithm of a known p-value, for one split or for many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from driftwatch.drift.two_sample import TESTS, scores


def test_scores_are_the_logarithms_of_the_textbook_p_values():
    rng = np.random.default_rng(3)
    batch, rest = rng.normal(0.3, 1, 80), rng.normal(size=720)
    pooled = np.concatenate([batch, rest])
    found = dict(zip(TESTS, scores(pooled[:, None], (np.arange(800) < 80)[:, None])[0, :, 0], strict=True))
    # scipy's exact p-value against Stephens' asymptotic one
    assert found["ks"] == pytest.approx(-np.log10(stats.ks_2samp(batch, rest).pvalue), rel=0.1)
    assert found["shift"] == pytest.approx(-np.log10(stats.mannwhitneyu(batch, rest).pvalue), rel=0.02)
    # in the tail, between the mid-p of the next whole counts below and above the weighted one
    above = int((batch > np.sort(pooled)[-41]).sum())
    mid_p = stats.hypergeom.sf(np.arange(41), 800, 40, 80) + stats.hypergeom.pmf(np.arange(41), 800, 40, 80) / 2
    assert -np.log10(mid_p[int(above / 2)]) <= found["high_tail"] <= -np.log10(mid_p[int(above * 1.5) + 1])


def test_a_tail_of_ties_counts_whole_or_not_at_all():
    values = np.repeat([0.0, 1.0], [960, 40])[:, None]  # the upper 4 % are one value
    members = np.zeros((1000, 2), bool)
    members[:90, 0] = members[-10:, 0] = True
    members[:100, 1] = True
    found = scores(values, members)[0, TESTS.index("high_tail")]
    mid_p = stats.hypergeom.sf(10, 1000, 40, 100) + stats.hypergeom.pmf(10, 1000, 40, 100) / 2
    assert found[0] == pytest.approx(-np.log10(mid_p), rel=1e-5)
    assert found[1] < 0.01
    assert (scores(1 - values, members)[0, TESTS.index("high_tail")] == 0).all()  # the upper 96 % are no tail


def test_many_splits_at_once_score_as_each_alone():
    rng = np.random.default_rng(4)
    values = np.round(rng.normal(size=(150, 3)), 1)
    members = rng.permuted(np.arange(150)[:, None].repeat(70, 1) < 40, axis=0)
    together = scores(values, members)
    for split in range(0, 70, 7):
        np.testing.assert_allclose(together[:, :, split], scores(values, members[:, [split]])[:, :, 0], rtol=1e-5)
