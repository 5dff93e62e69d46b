"""The alert policy: each rule fires when it should, rarely when it should not, and thin evidence is never green."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.config import PerformanceConfig
from driftwatch.errors import DriftwatchError
from driftwatch.performance.metrics import share
from driftwatch.performance.policy import interval, judge, p_text, percent

HOLDOUT = {"accuracy": {"value": 0.884, "low": 0.86, "high": 0.9}, "n": 600}


def verdict(right: int, labels: int, holdout: dict = HOLDOUT, **settings) -> dict:
    return judge(share(right, labels, 0.95), PerformanceConfig(**settings), holdout)


def test_floor_fires_when_the_whole_interval_is_below() -> None:
    found = verdict(90, 150, policy=("floor",))
    assert found["verdict"] == "alert"
    assert found["reasons"] == [
        "Accuracy 60 % [52, 67] on 150 labels: even the upper end, 67.5 %, is below the floor of 70 %."
    ]


def test_below_the_floor_but_not_for_sure_is_not_green() -> None:
    found = verdict(102, 150, policy=("floor",))
    assert found["verdict"] == "not_enough_evidence"
    assert "the interval reaches above it" in found["reasons"][0]


def test_drop_fires_above_the_floor_too() -> None:
    found = verdict(115, 150)
    assert found["verdict"] == "alert"
    assert not found["policy"]["floor"]["fires"]
    assert "lower than the model's 88.4 % on 600 held-out images" in found["reasons"][0]
    assert verdict(115, 150, policy=("floor",))["verdict"] == "ok"


def test_drop_respects_how_little_the_holdout_knows() -> None:
    small = {"accuracy": 0.884, "n": 40}
    assert verdict(115, 150, holdout=small)["verdict"] == "ok"


def test_better_than_the_holdout_is_ok() -> None:
    assert verdict(148, 150)["verdict"] == "ok"


def test_few_labels_are_never_enough_however_good_or_bad() -> None:
    for right in (0, 29):
        found = verdict(right, 29)
        assert found["verdict"] == "not_enough_evidence"
        assert found["reasons"] == ["29 labels; a verdict needs 30 (performance.min_labels)."]
    assert verdict(0, 0)["verdict"] == "not_enough_evidence"


def test_false_alarms_stay_at_or_below_alpha() -> None:
    rng = np.random.default_rng(0)
    days = []
    for right, held in zip(rng.binomial(150, 0.88, 1000), rng.binomial(600, 0.88, 1000), strict=True):
        found = verdict(int(right), 150, holdout={"accuracy": held / 600, "n": 600}, alpha=0.05)
        days.append(found["verdict"] == "alert")
    assert 0.01 < np.mean(days) <= 0.06


def test_missing_holdout_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(DriftwatchError, match=r"take `drop` out of performance\.policy"):
        verdict(100, 150, holdout={"accuracy": {"value": None}, "n": 0})
    assert verdict(140, 150, holdout={"accuracy": None, "n": 0}, policy=("floor",))["verdict"] == "ok"


def test_numbers_read_well() -> None:
    assert [percent(0.6137), percent(0.7), percent(1)] == ["61.4 %", "70 %", "100 %"]
    assert interval({"low": 0.527, "high": 0.694}) == "[53, 69]"
    assert [p_text(0.01234), p_text(0), p_text(0.00002)] == ["p = 0.012", "p < 0.0001", "p < 0.0001"]
