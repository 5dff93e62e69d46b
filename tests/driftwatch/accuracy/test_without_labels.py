"""The estimate from scores: the mean of calibrated scores, moved by what the holdout shows, and a warning where answers moved."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.accuracy.without_labels import answers_moved, estimate

HOLDOUT = {
    "accuracy": {"value": 0.9},
    "n": 400,
    "mean_score": 0.93,
    "confusion_matrix": {"rows": [[180, 20], [20, 180]]},
}


def test_what_the_scores_overstate_on_the_holdout_is_taken_off() -> None:
    assert estimate(np.full(300, 0.93), HOLDOUT, 0.95)["value"] == pytest.approx(0.9)
    assert estimate(np.full(300, 0.83), HOLDOUT, 0.95)["value"] == pytest.approx(0.8)
    assert estimate(np.full(300, 0.83), {"accuracy": 0.9, "n": 400}, 0.95)["value"] == 0.83


@pytest.mark.parametrize("overstated", [0, 0.15])
def test_interval_covers_the_days_accuracy_while_scores_keep_their_meaning(overstated: float) -> None:
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(1000):
        held, day = rng.beta(8, 1, 400), rng.beta(6, 1, 300)
        right = rng.random(400) < held - overstated
        found = estimate(day, {"accuracy": right.mean(), "n": 400, "mean_score": held.mean()}, 0.95)
        inside.append(found["low"] <= (rng.random(300) < day - overstated).mean() <= found["high"])
    assert 0.93 < np.mean(inside) < 0.97


def test_nothing_to_estimate_from_is_null_with_a_reason() -> None:
    assert estimate(np.zeros(0), HOLDOUT, 0.95)["reason"] == "the day has no image"
    assert estimate(np.full(10, 0.9), {"accuracy": None, "n": 0}, 0.95)["value"] is None


def test_a_model_that_answers_one_class_only_is_told() -> None:
    found = answers_moved(["cat"] * 90 + ["dog"] * 10, HOLDOUT, ("cat", "dog"))
    assert found is not None
    assert found["moved"]
    assert found["day"] == {"cat": 0.9, "dog": 0.1}
    usual = answers_moved(["cat"] * 52 + ["dog"] * 48, HOLDOUT, ("cat", "dog"))
    assert usual is not None
    assert not usual["moved"]
    assert answers_moved([], HOLDOUT, ("cat", "dog")) is None
