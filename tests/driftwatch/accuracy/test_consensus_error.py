"""The chance of a wrong majority is what simulated votes give, for any number of votes and classes."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.accuracy.consensus_error import different_answers, majority_error, numbers_wrong


def test_two_classes_give_the_binomial_and_people_who_err_alike_are_no_better_than_one() -> None:
    wrong = np.array([[0.1, 0.2]])
    assert majority_error(wrong, np.array([0.0]), 3, ties=False)[0] == pytest.approx([0.028, 0.104])
    assert majority_error(wrong, np.array([0.999]), 3, ties=False)[0] == pytest.approx([0.1, 0.2], abs=1e-3)
    tied = majority_error(wrong, np.array([0.0]), 2, ties=True)[0]
    assert tied == pytest.approx([0.1, 0.2])
    assert majority_error(wrong, np.array([0.0]), 2, ties=False)[0] == pytest.approx([0.01 / 0.82, 0.04 / 0.68])


@pytest.mark.parametrize(
    ("size", "wrongs", "wrong", "correlation", "alike"),
    [
        (3, 9, 0.2, 0.1, 1 / 9),
        (5, 2, 0.4, 0.1, 0.7),
        (5, 9, 0.3, 0.2, 0.4),
        (6, 3, 0.5, 0.2, 1.0),
        (7, 99, 0.3, 0.1, 0.05),
    ],
)
def test_many_classes_give_what_counting_simulated_votes_gives(size, wrongs, wrong, correlation, alike) -> None:
    rng, n = np.random.default_rng(0), 40_000
    grow = (1 - correlation) / correlation
    bad = rng.binomial(size, rng.beta(wrong * grow, (1 - wrong) * grow, n))
    if alike == 1:
        towards = np.eye(wrongs)[rng.integers(0, wrongs, n)]
    elif alike == 1 / wrongs:
        towards = np.full((n, wrongs), 1 / wrongs)
    else:
        towards = rng.dirichlet([(1 - alike) / (alike - 1 / wrongs) / wrongs] * wrongs, n)
    counts = np.column_stack([size - bad, rng.multinomial(bad, towards)])
    most = counts.max(axis=1)
    alone = (counts == most[:, None]).sum(axis=1)
    labelled, right = alone == 1, counts[:, 0] == most
    by_lot = np.where(right, 1 - 1 / alone, 1.0)
    draws = np.full((1, wrongs + 1), wrong), np.array([correlation]), size
    for ties, seen in ((False, (labelled & ~right).sum() / labelled.sum()), (True, by_lot.mean())):
        assert majority_error(*draws, ties, np.array([alike]))[0, 0] == pytest.approx(seen, abs=0.009)
    numbers = [chance[:, 0] for chance in numbers_wrong(*draws)]
    different = (counts > 0).sum(axis=1)
    told = [float(share[0]) for share in different_answers(numbers, np.array([alike]), size, wrongs)]
    assert told == pytest.approx([(different > 1).mean(), (different > 2).mean()], abs=0.009)


def test_fifty_votes_and_a_hundred_classes_stay_chances() -> None:
    wrong, alike = np.full((3, 100), 0.3), np.array([1 / 99, 0.3, 1.0])
    found = majority_error(wrong, np.full(3, 0.1), 50, ties=False, alike=alike)[:, 0]
    assert (np.diff(found) > 0).all()
    assert 0 < found[0] < found[-1] < 0.2
