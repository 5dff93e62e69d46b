"""Each verdict says which rule fires on which numbers, or why none can be trusted."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.accuracy.policy import Lasting, judge
from driftwatch.artifacts.parts import JudgedAccuracy
from driftwatch.artifacts.rules import LastingRule, TrendRule
from driftwatch.config.performance import PerformanceConfig
from driftwatch.models.metrics import share
from driftwatch.view.verdicts import reasons

HOLDOUT = share(530, 600, 0.95)


def judged(right: int, labels: int, **about) -> JudgedAccuracy:
    values = {**share(right, labels, 0.95).model_dump(exclude_unset=True), "effective_n": labels}
    return JudgedAccuracy(**{**values, "kind": "measured", "days": 1, **about})


def said(right: int, labels: int, **settings) -> list[str]:
    of_a_day = {"policy": ("floor", "drop"), **settings}
    return reasons(judge(judged(right, labels), PerformanceConfig(**of_a_day), HOLDOUT))


def test_below_the_floor_for_sure_and_not_for_sure() -> None:
    measured = "Accuracy 60 % [52, 67] on 150 labels: "
    assert said(90, 150, policy=("floor",)) == [f"{measured}even the upper end, 67.5 %, is below the floor of 70 %."]
    (unsure,) = said(102, 150, policy=("floor",))
    assert unsure == (
        "Accuracy 68 % [60, 75] on 150 labels: below the floor of 70 %, but the interval reaches above it, so it is not proven: "
        "more labels (labels.sample_size) would tell."
    )


def test_a_good_day_says_whether_its_interval_reaches_below_the_floor() -> None:
    assert said(140, 150, policy=("floor",)) == ["Accuracy 93.3 % [88, 96] on 150 labels: no rule of the policy fires."]
    (near,) = said(112, 150, policy=("floor",))
    assert near.endswith("fires. The interval reaches below the floor of 70 %: more labels would make it surer.")
    assert said(145, 150, policy=("drop",))[0].endswith("no rule of the policy fires.")


def test_lower_than_on_the_holdout() -> None:
    (dropped,) = said(115, 150)
    assert (
        "Accuracy 76.7 % [69, 83] on 150 labels: lower than the model's 88.3 % on 600 held-out images (p = " in dropped
    )


@pytest.mark.parametrize(
    ("days", "labels", "reason"),
    [
        (1, 1, "1 label; a verdict needs 30 (performance.min_labels)."),
        (1, 29, "29 labels; a verdict needs 30 (performance.min_labels)."),
        (3, 29, "29 labels on the 3 days that may be judged together; a verdict needs 30 (performance.min_labels)."),
    ],
)
def test_too_few_labels_say_how_many_are_needed(days: int, labels: int, reason: str) -> None:
    assert reasons(judge(judged(labels, labels, days=days), PerformanceConfig(), HOLDOUT)) == [reason]


def test_a_rule_that_fired_on_too_few_days_says_so_after_its_own_sentence() -> None:
    first, second = said(115, 150, persistence=2, persistence_days=3)
    assert "lower than the model's 88.3 %" in first
    assert second == ("That is so on 1 of the last 3 days with labels; an alert needs 2 (performance.persistence).")
    both = said(80, 150)
    assert ["floor of 70 %" in both[0], "held-out images" in both[1]] == [True, True]


def test_a_decline_names_the_days_and_the_rate_of_false_alarms() -> None:
    settings = PerformanceConfig(policy=("drop", "trend"))
    found = judge(judged(130, 150), settings, HOLDOUT, declined=TrendRule(fires=True, evidence=1.2, days=60))
    assert reasons(found) == [
        "The 60 days of this model together show a decline from its 88.3 % on held-out images (at most 0.1 false alarms of "
        "this rule a year)."
    ]


def lasting(fires: bool, usual: float, days: int = 12) -> LastingRule:
    return LastingRule(
        fires=fires, evidence=2.0 if fires else 0.1, since=date(2026, 1, 8), days=days, accuracy=0.66, usual=usual
    )


def test_rules_over_all_days_say_since_when_and_how_often_that_is_false() -> None:
    rules = Lasting(below_floor=lasting(True, 0.7), worse=lasting(True, 0.883, days=1))
    floor, worse = reasons(judge(judged(100, 150), PerformanceConfig(), HOLDOUT, lasting=rules))
    assert floor == (
        "Accuracy 66.7 % [59, 74] on 150 labels: below the floor of 70 % since 2026-01-08, with 66 % on 12 days. Looked at "
        "every day, this is false at most 0.1 times a year."
    )
    assert "lower than the 88.3 % of the holdout and the days before since 2026-01-08, with 66 % on this day." in worse


def test_a_good_day_that_does_not_outweigh_the_low_ones_before_it_is_not_itself_called_low() -> None:
    rules = Lasting(below_floor=lasting(True, 0.7), worse=lasting(True, 0.883))
    floor, worse = reasons(judge(judged(120, 150), PerformanceConfig(), HOLDOUT, lasting=rules))
    assert floor == (
        "Accuracy 80 % [73, 86] on 150 labels: by itself not below the floor of 70 %; all days together are since 2026-01-08, with "
        "66 % on 12 days. Looked at every day, this is false at most 0.1 times a year."
    )
    assert ": lower than the 88.3 % of the holdout and the days before since" in worse


def test_days_that_do_not_prove_that_the_floor_is_missed_say_so() -> None:
    rules = Lasting(below_floor=lasting(False, 0.7))
    (unsure,) = reasons(judge(judged(100, 150), PerformanceConfig(), HOLDOUT, lasting=rules))
    assert unsure.endswith(
        "below the floor of 70 %, but the days together do not prove it: more days, or more labels (labels.sample_size), will tell."
    )
    (near,) = reasons(judge(judged(112, 150), PerformanceConfig(), HOLDOUT, lasting=rules))
    assert near.endswith("fires. The interval reaches below the floor of 70 %: more labels would make it surer.")


def test_what_was_judged_is_named() -> None:
    together = judged(140, 150, days=3, kind="corrected")
    (only,) = reasons(judge(together, PerformanceConfig(), HOLDOUT))
    assert only.startswith("Accuracy 93.3 % [88, 96] on 150 labels of 3 days, corrected for wrong labels: ")


def test_worthless_labels_give_their_own_reason() -> None:
    nothing = judged(
        0, 150, value=None, low=None, high=None, reason="about 48 % of the labels are wrong", effective_n=None
    )
    assert reasons(judge(nothing, PerformanceConfig(), HOLDOUT)) == ["About 48 % of the labels are wrong."]
