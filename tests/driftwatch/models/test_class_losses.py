"""Did any class get worse: one error rate for all classes, and the power that is stated."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.models.class_losses import POWER, ClassLosses


def drawn(rng: np.random.Generator, k: int, n: int, changed: float = 0.06, ruined: float | None = None) -> ClassLosses:
    """`k` classes of `n` images, won and lost alike; the first loses a share `ruined`."""
    won, lost, _ = rng.multinomial(n, [changed / 2, changed / 2, 1 - changed], k).T
    if ruined is not None:
        won[0], lost[0] = 0, rng.binomial(n, ruined)
    return ClassLosses([n] * k, won.tolist(), lost.tolist(), [round(0.9 * n)] * k, 0.05)


@pytest.mark.parametrize(("k", "n", "runs"), [(2, 30, 200), (10, 15, 150), (100, 20, 25)])
def test_no_class_is_called_worse_more_often_than_the_one_error_rate(k: int, n: int, runs: int) -> None:
    rng = np.random.default_rng(1)
    found = np.mean([any(drawn(rng, k, n, changed).worse) for changed in (0.04, 0.2) for _ in range(runs // 2)])
    assert found <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(("k", "n", "runs"), [(2, 16, 60), (10, 16, 60), (100, 20, 15)])
def test_a_class_that_lost_half_is_seen_as_surely_as_is_said(k: int, n: int, runs: int) -> None:
    rng = np.random.default_rng(2)
    said = drawn(rng, k, n).power(0, 0.45)
    seen = np.mean([drawn(rng, k, n, ruined=0.45).worse[0] for _ in range(runs)])
    assert said >= POWER
    assert seen >= said - 0.15


@pytest.mark.parametrize("k", [2, 10, 100])
def test_the_advice_is_right_in_simulation(k: int) -> None:
    rng = np.random.default_rng(3)
    few = drawn(rng, k, 5)
    assert few.power(0, 0.45) < POWER
    needed = few.images_needed(0, 0.45)
    runs = 60 if k < 100 else 20
    seen = np.mean([drawn(rng, k, needed, ruined=0.45).worse[0] for _ in range(runs)])
    assert seen >= POWER - 2 * np.sqrt(0.16 / runs)
    half = np.mean([drawn(rng, k, max(needed // 2, 2), ruined=0.45).worse[0] for _ in range(runs)])
    assert half < seen


def test_nothing_won_and_nothing_lost_is_no_loss_and_classes_may_come_and_go_alike() -> None:
    assert not any(ClassLosses([20] * 10, [0] * 10, [0] * 10, [18] * 10, 0.05).worse)
    restless = ClassLosses([40] * 10, [8] * 10, [9, 5, 8, 11, 7, 9, 10, 6, 8, 9], [30] * 10, 0.05)
    assert not any(restless.worse)
    assert ClassLosses([40] * 10, [8] * 9 + [0], [8] * 9 + [24], [30] * 10, 0.05).worse == [False] * 9 + [True]


def test_classes_without_images_are_never_worse_and_never_seen() -> None:
    test = ClassLosses([0, 30], [0, 1], [0, 1], [0, 27], 0.05)
    assert test.worse == [False, False]
    assert test.power(0, 0.45) == 0
