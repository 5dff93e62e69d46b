"""The alert policy: each rule fires when it should, rarely when it should not, and thin evidence is never green."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from driftwatch.accuracy.policy import Lasting, Persistence, Verdict, judge
from driftwatch.artifacts.parts import JudgedAccuracy, Share
from driftwatch.artifacts.rules import LastingRule, PolicyRules, TrendRule
from driftwatch.config.performance import PerformanceConfig
from driftwatch.errors import DriftwatchError
from driftwatch.models.metrics import share

from .accuracies import HOLDOUT, judged

OF_A_DAY = ("floor", "drop")


def verdict(right: int, labels: int, holdout: Share = HOLDOUT, **settings) -> Verdict:
    return judge(judged(right, labels), PerformanceConfig(**{"policy": OF_A_DAY, **settings}), holdout)


def test_floor_fires_when_the_whole_interval_is_below() -> None:
    found = verdict(90, 150, policy=("floor",))
    assert (found.verdict, found.rules.floor.fires, found.rules.floor.floor) == ("alert", True, 0.7)
    assert (found.rules.drop, found.rules.trend) == (None, None)


def test_below_the_floor_but_not_for_sure_is_not_green() -> None:
    found = verdict(102, 150, policy=("floor",))
    assert (found.verdict, found.fired, found.severity) == ("not_enough_evidence", False, None)


def test_a_good_day_is_ok_though_its_interval_reaches_below_the_floor() -> None:
    near, far = verdict(112, 150, policy=("floor",)), verdict(140, 150, policy=("floor",))
    assert (near.verdict, far.verdict) == ("ok", "ok")
    assert near.accuracy.low < 0.7 < far.accuracy.low


def test_drop_fires_above_the_floor_too() -> None:
    found = verdict(115, 150)
    assert found.verdict == "alert"
    assert (found.rules.floor.fires, found.rules.drop.fires) == (False, True)
    assert found.rules.drop.p_value < found.rules.drop.alpha
    assert (found.rules.drop.holdout_accuracy, found.rules.drop.holdout_n) == (HOLDOUT.value, 600)
    assert verdict(115, 150, policy=("floor",)).verdict == "ok"


def test_drop_respects_how_little_the_holdout_knows() -> None:
    assert verdict(115, 150, holdout=share(35, 40, 0.95)).verdict == "ok"


def test_better_than_the_holdout_is_ok() -> None:
    assert verdict(148, 150).verdict == "ok"


def test_few_labels_are_never_enough_however_good_or_bad() -> None:
    for right, labels in ((0, 29), (29, 29), (0, 0)):
        found = verdict(right, labels)
        assert (found.verdict, found.too_few, found.min_labels) == ("not_enough_evidence", True, 30)
        assert (found.rules, found.fired, found.severity) == (PolicyRules(), False, None)


def test_false_alarms_stay_at_or_below_alpha() -> None:
    rng = np.random.default_rng(0)
    days = []
    for right, held in zip(rng.binomial(150, 0.88, 1000), rng.binomial(600, 0.88, 1000), strict=True):
        found = verdict(int(right), 150, holdout=share(int(held), 600, 0.95), alpha=0.05)
        days.append(found.verdict == "alert")
    assert 0.01 < np.mean(days) <= 0.06


def test_missing_holdout_is_an_error_that_says_what_to_do() -> None:
    none = share(0, 0, 0.95)
    for holdout in (none, none.model_copy(update={"n": 600}), HOLDOUT.model_copy(update={"n": 0})):
        with pytest.raises(DriftwatchError, match=r"take them out of performance\.policy"):
            verdict(100, 150, holdout=holdout)
    assert verdict(140, 150, holdout=none, policy=("floor",)).verdict == "ok"


def test_an_alert_waits_for_as_many_days_as_persistence_says() -> None:
    settings = PerformanceConfig(policy=OF_A_DAY, persistence=2, persistence_days=3)

    def after(*fired_before: bool) -> Verdict:
        return judge(judged(115, 150), settings, HOLDOUT, fired_before)

    first = after(False, False)
    assert (first.verdict, first.fired, first.persistence) == ("not_enough_evidence", True, Persistence(1, 3, 2))
    assert after(False, True).verdict == "alert"
    assert after(False, False, True).verdict == "not_enough_evidence"
    calm = judge(judged(140, 150), settings, HOLDOUT, [True, True])
    assert (calm.verdict, calm.fired) == ("ok", False)
    with pytest.raises(ValueError, match="could never be reached"):
        PerformanceConfig(persistence=2)


def test_severity_is_the_size_of_the_loss() -> None:
    assert verdict(115, 150, critical_drop=0.15).severity == "warning"
    assert verdict(115, 150).severity == "critical"  # 76.7 % after 88.3 %
    assert verdict(140, 150).severity is None


def test_trend_alerts_though_the_day_itself_is_fine_and_needs_no_persistence() -> None:
    settings = PerformanceConfig(policy=("drop", "trend"), persistence=2, persistence_days=2)
    declined = TrendRule(fires=True, evidence=1.2, days=60)
    found = judge(judged(130, 150), settings, HOLDOUT, declined=declined)
    assert (found.verdict, found.severity, found.fired) == ("alert", "warning", False)
    assert found.rules.trend == declined
    calm = judge(judged(130, 150), settings, HOLDOUT, declined=declined.model_copy(update={"fires": False}))
    assert calm.verdict == "ok"
    assert judge(judged(130, 150), PerformanceConfig(policy=OF_A_DAY), HOLDOUT, declined=declined).rules.trend is None


def test_what_all_days_together_show_is_an_alert_though_the_day_itself_is_fine_and_needs_no_persistence() -> None:
    settings = PerformanceConfig(persistence=2, persistence_days=2)
    since = LastingRule(fires=True, evidence=1.2, since=date(2026, 1, 8), days=12, accuracy=0.82, usual=0.89)
    found = judge(judged(140, 150), settings, HOLDOUT, lasting=Lasting(worse=since))
    assert (found.verdict, found.severity, found.fired, found.rules.worse) == ("alert", "warning", False, since)
    far = since.model_copy(update={"accuracy": 0.7})
    assert judge(judged(140, 150), settings, HOLDOUT, lasting=Lasting(worse=far)).severity == "critical"
    calm = since.model_copy(update={"fires": False})
    assert judge(judged(140, 150), settings, HOLDOUT, lasting=Lasting(worse=calm)).verdict == "ok"
    assert judge(judged(100, 150), settings, HOLDOUT, lasting=Lasting(worse=calm)).verdict == "not_enough_evidence"
    assert judge(judged(29, 29), settings, HOLDOUT, lasting=Lasting(worse=since)).verdict == "not_enough_evidence"


def test_an_interval_wider_than_that_of_its_labels_proves_less() -> None:
    settings = PerformanceConfig(policy=("drop",))
    assert judge(judged(118, 150), settings, HOLDOUT).verdict == "alert"
    assert judge(judged(118, 150, effective_n=40, kind="corrected"), settings, HOLDOUT).verdict == "ok"


def test_labels_that_are_worthless_give_no_verdict() -> None:
    nothing = JudgedAccuracy(
        value=None, low=None, high=None, n=150, reason="worthless", effective_n=None, kind="corrected", days=1
    )
    found = judge(nothing, PerformanceConfig(), HOLDOUT)
    assert (found.verdict, found.too_few, found.rules) == ("not_enough_evidence", False, PolicyRules())
