"""Several looks at the same challenger keep to one error rate, and the first look has most of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from driftwatch.models.looks import FIRST_SHARE, confidence_of_look


@pytest.mark.parametrize("labels", [[150, 190, 230, 270], [20, 60, 61, 300]])
def test_all_looks_together_promote_what_is_not_better_at_most_one_time_in_twenty(labels: list[int]) -> None:
    bounds = [norm.ppf(confidence_of_look(labels[: number + 1], 4, 0.95)) for number in range(4)]
    rng, runs = np.random.default_rng(1), 100_000
    steps = rng.standard_normal((4, runs)) * np.sqrt(np.diff([0, *labels]))[:, None]
    seen = np.cumsum(steps, axis=0) / np.sqrt(labels)[:, None]
    promoted = (seen >= np.array(bounds)[:, None]).any(axis=0).mean()
    assert 0.045 <= promoted <= 0.0525


def test_a_single_look_has_the_whole_rate() -> None:
    assert confidence_of_look([150], 1, 0.95) == 0.95


def test_the_first_look_has_its_share_whatever_comes_later() -> None:
    assert confidence_of_look([150], 6, 0.95) == pytest.approx(1 - 0.05 * FIRST_SHARE)


def test_later_looks_are_less_strict_than_their_share_alone_would_ask() -> None:
    alone = 1 - 0.05 * (1 - FIRST_SHARE) / 5
    assert 0.95 < confidence_of_look([150, 190], 6, 0.95) < alone


def test_the_same_looks_have_the_same_confidence() -> None:
    assert confidence_of_look([50, 60, 70], 6, 0.95) == confidence_of_look([50, 60, 70], 6, 0.95)


def test_a_confidence_that_no_walk_can_measure_is_kept_by_each_look_s_share_alone() -> None:
    confidence = 1 - 1e-6
    later = confidence_of_look([150, 190], 6, confidence)
    assert later == pytest.approx(1 - 1e-6 * (1 - FIRST_SHARE) / 5, abs=1e-12)
