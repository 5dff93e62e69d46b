"""The rules below_floor and worse: what a day counts for, and what the days of a model say together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.accuracy.day_verdict import judge_day
from driftwatch.accuracy.evidence import Evidence, Scores, Votes
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.accuracy.label_errors import Mistaken
from driftwatch.accuracy.policy import Lasting
from driftwatch.accuracy.sequential_rules import Counted, counted, expected, lasting
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.parts import WeightedShare
from driftwatch.artifacts.rules import CountedDay
from driftwatch.config import MonitorConfig
from driftwatch.config.performance import PerformanceConfig
from driftwatch.errors import DriftwatchError
from driftwatch.models.metrics import share

from .accuracies import HOLDOUT
from .days import with_settings
from .simulated import simulated

FIRST = date(2026, 1, 1)


def days(*agreement: float, labels: float = 150, **counts: float) -> list[Counted]:
    return [
        Counted(FIRST + timedelta(days=place), CountedDay(agreement=share, labels=labels, **counts))
        for place, share in enumerate(agreement)
    ]


def test_both_rules_name_the_day_since_which_and_what_they_compare_with() -> None:
    found = lasting(days(*[0.88] * 6, 0.5, 0.5), PerformanceConfig(), HOLDOUT)
    assert (found.worse.fires, found.worse.since, found.worse.days) == (True, date(2026, 1, 7), 2)
    assert (found.worse.accuracy, round(found.worse.usual, 2)) == (0.5, 0.88)
    assert (found.below_floor.fires, found.below_floor.usual) == (True, 0.7)


def test_only_the_rules_of_the_policy_are_asked_and_the_rate_is_for_those_together() -> None:
    bad = days(*[0.88] * 6, 0.72)
    both, alone = (
        lasting(bad, PerformanceConfig(policy=policy), HOLDOUT) for policy in (("below_floor", "worse"), ("worse",))
    )
    assert (both.below_floor is None, alone.below_floor) == (False, None)
    assert alone.worse.evidence == pytest.approx(2 * both.worse.evidence, abs=1e-5)
    rare = lasting(bad, PerformanceConfig(policy=("worse",), false_alerts_per_year=0.01), HOLDOUT)
    assert alone.worse.evidence == pytest.approx(10 * rare.worse.evidence, abs=1e-4)
    assert lasting(bad, PerformanceConfig(policy=("floor", "drop")), HOLDOUT) == Lasting()
    assert lasting([], PerformanceConfig(), HOLDOUT) == Lasting()


def test_worse_needs_a_holdout_and_below_the_floor_does_not() -> None:
    none = share(0, 0, 0.95)
    assert lasting(days(0.9), PerformanceConfig(policy=("below_floor",)), none).below_floor.fires is False
    with pytest.raises(DriftwatchError, match=r"take them out of performance\.policy"):
        lasting(days(0.9), PerformanceConfig(), none)


def test_the_floor_is_judged_with_label_errors_at_the_end_that_speaks_for_the_model() -> None:
    policy = PerformanceConfig(policy=("below_floor",))
    sure, unsure = (lasting(days(*[0.62] * 10, shared=shared), policy, HOLDOUT) for shared in (0.0, 0.04))
    assert (sure.below_floor.fires, unsure.below_floor.fires) == (True, False)


def test_what_is_not_known_of_label_errors_is_one_error_for_all_days_beside_the_holdout() -> None:
    low, holdout = days(*[0.85] * 60), share(18_000, 20_000, 0.95)
    assert lasting(low, PerformanceConfig(), holdout).worse.fires is True
    unsure = days(*[0.85] * 60, shared=0.06)
    assert lasting(unsure, PerformanceConfig(), holdout).worse.fires is False
    fallen = days(*[0.9] * 60, *[0.82] * 6, shared=0.06)  # it is the same error before and after
    assert lasting(fallen, PerformanceConfig(), holdout).worse.since == date(2026, 3, 2)
    assert lasting(fallen, PerformanceConfig(), holdout).worse.fires is True


def test_a_day_counts_with_its_estimate_its_effective_labels_and_what_wrong_labels_do() -> None:
    measured = WeightedShare(value=0.9, low=0.8, high=0.95, n=100, effective_n=110.5)
    assert counted(measured, None) == CountedDay(agreement=0.9, labels=110.5)
    assert counted(measured, Mistaken(0.03, 0.02, 0.01)) == CountedDay(
        agreement=0.9, labels=110.5, missed=0.03, matched=0.02, shared=0.01
    )
    assert counted(measured.model_copy(update={"effective_n": None}), None) is None
    assert counted(WeightedShare(value=None, low=None, high=None, n=0, reason="none", effective_n=0.0), None) is None


def test_people_whose_control_answers_say_that_they_err_more_do_not_make_the_model_worse() -> None:
    """The model agrees with 79 % of the labels in place of 88, since 12 % more of them are wrong."""
    usual, later = days(*[0.88] * 30), days(*[0.88] * 30, *[0.79] * 7)[30:]
    assert lasting([*usual, *later], PerformanceConfig(), HOLDOUT).worse.fires is True
    errors = {"missed": 0.12, "matched": 0.12, "shared": 0.02}
    told = [day._replace(counts=day.counts.model_copy(update=errors)) for day in later]
    assert lasting([*usual, *told], PerformanceConfig(), HOLDOUT).worse.fires is False


def test_estimates_of_label_errors_that_go_up_and_down_by_chance_are_taken_together() -> None:
    errors = np.random.default_rng(1).uniform(0, 0.06, 40)
    moving = [
        day._replace(counts=day.counts.model_copy(update={"missed": error, "matched": error, "shared": 0.02}))
        for day, error in zip(days(*[0.9] * 40), errors.tolist(), strict=True)
    ]
    found = lasting(moving, PerformanceConfig(), HOLDOUT).worse
    assert found.evidence < 0.01
    assert found.usual == pytest.approx((0.9 - errors.mean()) / (1 - 2 * errors.mean()), abs=0.01)


def past(number: int, accuracy: float, version: str = "v1", n: int = 60) -> PastDay:
    evidence, agreed = simulated(np.random.default_rng(number), accuracy, 0.05, 0.1, n=n)
    day = ScoredDay(FIRST + timedelta(days=number), version, ("cat", "dog"), evidence)
    return PastDay(**vars(day), fired=False, usual=None, counted=counted(agreed, None))


def test_each_days_own_labels_count_once_though_days_are_judged_together(monitor: MonitorConfig) -> None:
    measured = with_settings(monitor, judge="measured", min_labels=100)
    before = [past(number, 0.9) for number in range(4)]
    found = judge_day(before[3], before[:3], measured, HOLDOUT)
    assert (len(found.pooled_days), found.counted.labels) == (2, 60)
    assert (
        found.verdict.rules.worse
        == lasting([Counted(day.day, day.counted) for day in before], measured.performance, HOLDOUT).worse
    )


def test_a_new_model_begins_anew(monitor: MonitorConfig) -> None:
    measured = with_settings(monitor, judge="measured")
    bad = [past(number, 0.6) for number in range(5)]
    today = past(5, 0.88)
    assert judge_day(past(5, 0.6), bad, measured, HOLDOUT).verdict.verdict == "alert"
    promoted = replace(today, model_version="v2")
    found = judge_day(promoted, bad, measured, HOLDOUT).verdict
    assert (found.verdict, found.rules.worse.days) == ("ok", 1)


def test_a_model_that_the_gate_chose_is_compared_with_the_labels_that_it_was_chosen_by() -> None:
    card = ModelCard.model_validate_json(json.dumps(samples.CARD))
    recent = card.gate.recent.challenger.accuracy
    assert (expected(card, HOLDOUT), recent == HOLDOUT) == (recent, False)
    assert expected(card.model_copy(update={"gate": None}), HOLDOUT) == expected(None, HOLDOUT) == HOLDOUT


def test_labels_that_are_worthless_count_for_nothing(monitor: MonitorConfig) -> None:
    evidence, _ = simulated(np.random.default_rng(1), 0.9, 0.5, 0.05, control=2000)
    guessed = ScoredDay(FIRST, "v1", ("cat", "dog"), evidence)
    assert judge_day(guessed, [], monitor, HOLDOUT).counted is None
    assert judge_day(guessed, [], with_settings(monitor, judge="measured"), HOLDOUT).counted is not None


@pytest.mark.parametrize("wrong", [(20, 95), (0, 100)])
def test_labels_of_people_who_nearly_always_take_one_class_for_the_other_count_for_nothing(
    monitor: MonitorConfig, wrong: tuple[int, int]
) -> None:
    """A fifth of the labels is wrong, but the label of a wrong answer is as often wrong as that of a right one is right: no agreement tells
    the accuracy. `wrong`: of 100 control answers of each class."""
    votes = Votes(100 - np.array(wrong), np.array(wrong), 200, 0, 0, 0, 0, 178, 5.0, 5.0, {3: 178})
    evidence = Evidence(np.array([[150, 20], [2, 6]]), Scores(), votes)
    found = judge_day(ScoredDay(FIRST, "v1", ("cat", "dog"), evidence), [], monitor, HOLDOUT)
    assert (found.counted, found.verdict.verdict) == (None, "not_enough_evidence")
    assert found.corrected.accuracy.reason.endswith("they say nothing about the model")
