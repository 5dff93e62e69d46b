"""The alert policy: each rule fires when it should, rarely when it should not, and thin evidence is never green."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.accuracy.policy import interval, judge, p_text, percent
from driftwatch.config.performance import PerformanceConfig
from driftwatch.errors import DriftwatchError
from driftwatch.models.metrics import share

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


def test_a_good_day_says_whether_its_interval_reaches_below_the_floor() -> None:
    near, far = verdict(112, 150, policy=("floor",)), verdict(140, 150, policy=("floor",))
    assert (near["verdict"], far["verdict"]) == ("ok", "ok")
    assert near["reasons"][0].endswith("The interval reaches below the floor of 70 %: more labels would make it surer.")
    assert far["reasons"] == ["Accuracy 93.3 % [88, 96] on 150 labels: no rule of the policy fires."]
    without = judge(share(112, 150, 0.95), PerformanceConfig(policy=("drop",)), {"accuracy": 0.75, "n": 600})
    assert without["reasons"][0].endswith("no rule of the policy fires.")


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
    for holdout in (
        {"accuracy": {"value": None}, "n": 0},
        {"accuracy": {"value": None}, "n": 600},
        {"accuracy": 0.9, "n": 0},
    ):
        with pytest.raises(DriftwatchError, match=r"take them out of performance\.policy"):
            verdict(100, 150, holdout=holdout)
    assert verdict(140, 150, holdout={"accuracy": None, "n": 0}, policy=("floor",))["verdict"] == "ok"


def test_numbers_read_well() -> None:
    assert [percent(0.6137), percent(0.7), percent(1)] == ["61.4 %", "70 %", "100 %"]
    assert interval({"low": 0.527, "high": 0.694}) == "[53, 69]"
    assert [p_text(0.01234), p_text(0), p_text(0.00002)] == ["p = 0.012", "p < 0.0001", "p < 0.0001"]


def test_an_alert_waits_for_as_many_days_as_persistence_says() -> None:
    accuracy, settings = share(115, 150, 0.95), PerformanceConfig(persistence=2, persistence_days=3)
    first = judge(accuracy, settings, HOLDOUT, fired_before=[False, False])
    assert (first["verdict"], first["fired"]) == ("not_enough_evidence", True)
    assert first["reasons"][-1].startswith("That is so on 1 of the last 3 days with labels; an alert needs 2")
    assert judge(accuracy, settings, HOLDOUT, fired_before=[False, True])["verdict"] == "alert"
    assert judge(accuracy, settings, HOLDOUT, fired_before=[False, False, True])["verdict"] == "not_enough_evidence"
    assert judge(share(140, 150, 0.95), settings, HOLDOUT, fired_before=[True, True])["verdict"] == "ok"
    with pytest.raises(ValueError, match="could never be reached"):
        PerformanceConfig(persistence=2)


def test_severity_is_the_size_of_the_loss() -> None:
    assert verdict(115, 150, critical_drop=0.15)["severity"] == "warning"
    assert verdict(115, 150)["severity"] == "critical"  # 76.7 % after 88.4 %
    assert verdict(140, 150)["severity"] is None


def test_trend_alerts_though_the_day_itself_is_fine_and_needs_no_persistence() -> None:
    settings = PerformanceConfig(policy=("drop", "trend"), persistence=2, persistence_days=2)
    fired = {"fires": True, "evidence": 1.2, "days": 60}
    found = judge(share(130, 150, 0.95), settings, HOLDOUT, trend=fired)
    assert (found["verdict"], found["severity"]) == ("alert", "warning")
    assert "The 60 days of this model together show a decline" in found["reasons"][0]
    calm = judge(share(130, 150, 0.95), settings, HOLDOUT, trend={**fired, "fires": False})
    assert calm["verdict"] == "ok"


def test_an_interval_wider_than_that_of_its_labels_proves_less() -> None:
    measured = {**share(118, 150, 0.95), "effective_n": 150}
    corrected = {**measured, "effective_n": 40, "kind": "corrected"}
    settings = PerformanceConfig(policy=("drop",))
    assert judge(measured, settings, HOLDOUT)["verdict"] == "alert"
    found = judge(corrected, settings, HOLDOUT)
    assert found["verdict"] == "ok"
    assert "corrected for wrong labels" in found["reasons"][0]


def test_labels_that_are_worthless_give_no_verdict() -> None:
    nothing = {"value": None, "low": None, "high": None, "n": 150, "reason": "about 48 % of the labels are wrong"}
    found = judge(nothing, PerformanceConfig(), HOLDOUT)
    assert (found["verdict"], found["reasons"]) == ("not_enough_evidence", ["About 48 % of the labels are wrong."])
