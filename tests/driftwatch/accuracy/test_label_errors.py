"""Accuracy corrected for wrong labels: right on average and covered, for people who err independently and for people who err alike."""

from __future__ import annotations

import time

import numpy as np
import pytest

from driftwatch.accuracy.evidence import Votes
from driftwatch.accuracy.label_errors import corrected
from driftwatch.accuracy.policy import judge
from driftwatch.artifacts.parts import JudgedAccuracy, WeightedShare
from driftwatch.config.performance import PerformanceConfig
from driftwatch.models.metrics import share

from .simulated import of_classes, simulated


@pytest.mark.parametrize(
    ("wrong", "alike"),
    [
        (0.08, 0.3),
        *(
            pytest.param(*rates, marks=pytest.mark.all_faults("one pair of rates is in the plain suite"))
            for rates in ((0.05, 0.02), (0.15, 0.15))
        ),
    ],
)
def test_corrected_accuracy_covers_the_truth_where_the_measured_does_not(wrong: float, alike: float) -> None:
    rng = np.random.default_rng(3)
    inside, measured, values = [], [], []
    for _ in range(150):
        evidence, agreement = simulated(rng, 0.88, wrong, alike)
        found = corrected(evidence, evidence.votes, agreement, 0.95).accuracy
        inside.append(found.low <= 0.88 <= found.high)
        measured.append(agreement.value)
        values.append(found.value)
    assert np.mean(inside) > 0.9
    assert abs(np.mean(values) - 0.88) < 0.012
    assert abs(np.mean(values) - 0.88) < abs(np.mean(measured) - 0.88)


@pytest.mark.all_faults("it draws hundreds of days")
def test_a_corrected_accuracy_raises_no_more_false_alarms_of_a_drop_than_alpha() -> None:
    rng, settings = np.random.default_rng(4), PerformanceConfig(policy=("drop",), alpha=0.05)
    days, alarms = 400, 0
    for _ in range(days):
        evidence, agreement = simulated(rng, 0.95, 0.06, 0.15, control=66)
        found = corrected(evidence, evidence.votes, agreement, 0.95).accuracy
        accuracy = JudgedAccuracy(**found.model_dump(exclude_unset=True), kind="corrected", days=1)
        alarms += judge(accuracy, settings, share(int(rng.binomial(600, 0.95)), 600, 0.95)).verdict == "alert"
    assert 0 < alarms <= settings.alpha * days


def test_without_control_answers_or_with_worthless_labels_there_is_a_reason_and_no_number() -> None:
    rng = np.random.default_rng(0)
    evidence, agreement = simulated(rng, 0.9, 0.05, 0.1)
    blind = Votes(np.zeros(2, int), np.zeros(2, int), 0, 0, 0, 0, 0, 200, 20, 10, {3: 200})
    found = corrected(evidence, blind, agreement, 0.95)
    assert (found.accuracy.value, found.label_error) == (None, None)
    assert "no control task from the training images was answered" in found.accuracy.reason
    other = corrected(evidence, evidence.votes, agreement, 0.95, merged_by="dawid_skene")
    assert (other.accuracy.value, other.label_error) == (None, None)
    assert "labels merged by dawid_skene" in other.accuracy.reason
    guessing = Votes(np.array([100, 100]), np.array([100, 100]), 400, 0, 0, 0, 0, 200, 100, 60, {3: 200})
    found = corrected(evidence, guessing, agreement, 0.95)
    assert found.accuracy.value is None
    assert found.label_error.value > 0.45
    nobody = share(0, 0, 0.95, "no image of the sample has a label").model_dump(exclude_unset=True)
    unlabelled = corrected(evidence, evidence.votes, WeightedShare(**nobody, effective_n=0.0), 0.95)
    assert (unlabelled.accuracy.reason, unlabelled.label_error) == ("no image of the sample has a label", None)


@pytest.mark.parametrize(
    ("k", "twins", "least", "most"),
    [(10, False, 0.001, 0.025), (100, False, 0.0, 0.012), (10, True, 0.03, 0.1)],
)
def test_labels_of_many_classes_are_wrong_only_as_far_as_wrong_votes_name_one_class(k, twins, least, most) -> None:
    """15 % of votes wrong: of three, 6 % of labels where all name one class, .8 and .07 % where they spread over 9 and 99."""
    rng = np.random.default_rng(8)
    said, values, inside = [], [], 0
    for _ in range(8):
        evidence, agreement = of_classes(rng, k, 0.15, twins)
        found = corrected(evidence, evidence.votes, agreement, 0.95)
        said.append(found.label_error.value)
        values.append(found.accuracy.value)
        inside += found.accuracy.low <= 0.875 <= found.accuracy.high
    assert least <= np.median(said) <= most
    assert abs(np.mean(values) - 0.875) < 0.03
    assert inside >= 7


def test_a_hundred_classes_and_ten_thousand_labels_take_no_second() -> None:
    evidence, agreement = of_classes(np.random.default_rng(9), 100, 0.1, n=10_000, overlap=5)
    began = time.process_time()
    corrected(evidence, evidence.votes, agreement, 0.95)
    assert time.process_time() - began < 2  # .4 s on an idle core
