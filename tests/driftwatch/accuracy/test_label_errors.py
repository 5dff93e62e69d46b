"""Accuracy corrected for wrong labels: right on average and covered, for people who err independently and for people who err alike."""

from __future__ import annotations

import json
import time
from math import isclose
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftwatch.accuracy.consensus_error import majority_error
from driftwatch.accuracy.evidence import Evidence, Scores, Votes, disagreement, pool_votes, spread_of
from driftwatch.accuracy.label_errors import corrected
from driftwatch.accuracy.policy import judge
from driftwatch.accuracy.wrong_votes import vote_errors
from driftwatch.config.performance import PerformanceConfig
from driftwatch.models.metrics import wilson


def simulated(rng: np.random.Generator, accuracy: float, wrong: float, alike: float, n: int = 200, control: int = 400):
    """A day of two classes with three votes an image, whose chance of a wrong vote is beta distributed with correlation `alike`;
    the evidence and the agreement."""

    def chances(size: int) -> np.ndarray:
        return rng.beta(wrong * (1 - alike) / alike, (1 - wrong) * (1 - alike) / alike, size)

    truth = rng.integers(0, 2, n)
    predicted = np.where(rng.random(n) < accuracy, truth, 1 - truth)
    bad = rng.binomial(3, chances(n))
    label = np.where(bad >= 2, 1 - truth, truth)
    confusion = np.zeros((2, 2), dtype="int64")
    np.add.at(confusion, (label, predicted), 1)
    missed = rng.random(control) < chances(control)
    of_first = rng.random(control) < 0.5
    right = [int((of_first & ~missed).sum()), int((~of_first & ~missed).sum())]
    missed_by_class = [int((of_first & missed).sum()), int((~of_first & missed).sum())]
    disagree = bad * (3 - bad) / 3
    votes = Votes(
        np.array(right), np.array(missed_by_class), control, 0, 0, 0, 0, n, disagree.sum(), (disagree**2).sum(), {3: n}
    )
    evidence = Evidence(confusion, Scores(), votes)
    value = evidence.right / n
    low, high = wilson(value, n, 0.95)
    return evidence, {"value": value, "low": low, "high": high, "n": n, "effective_n": n}


@pytest.mark.parametrize(("wrong", "alike"), [(0.05, 0.02), (0.08, 0.3), (0.15, 0.15)])
def test_corrected_accuracy_covers_the_truth_where_the_measured_does_not(wrong: float, alike: float) -> None:
    rng = np.random.default_rng(3)
    inside, measured, values = [], [], []
    for _ in range(150):
        evidence, agreement = simulated(rng, 0.88, wrong, alike)
        found = corrected(evidence, evidence.votes, agreement, 0.95)
        inside.append(found["low"] <= 0.88 <= found["high"])
        measured.append(agreement["value"])
        values.append(found["value"])
    assert np.mean(inside) > 0.9
    assert abs(np.mean(values) - 0.88) < 0.012
    assert abs(np.mean(values) - 0.88) < abs(np.mean(measured) - 0.88)


def test_a_corrected_accuracy_raises_no_more_false_alarms_of_a_drop_than_alpha() -> None:
    rng, settings = np.random.default_rng(4), PerformanceConfig(policy=("drop",), alpha=0.05)
    days, alarms = 400, 0
    for _ in range(days):
        evidence, agreement = simulated(rng, 0.95, 0.06, 0.15, control=66)
        found = corrected(evidence, evidence.votes, agreement, 0.95)
        held = {"accuracy": rng.binomial(600, 0.95) / 600, "n": 600}
        alarms += judge(found, settings, held)["verdict"] == "alert"
    assert 0 < alarms <= settings.alpha * days


@pytest.mark.parametrize("crowd", ["d_possent", "duck_bluebirds"])
def test_control_tasks_and_disagreement_tell_the_error_of_three_real_votes(shared: Path, crowd: str) -> None:
    answers = pd.read_csv(shared / "crowd" / crowd / "labels.csv")
    gold = pd.read_csv(shared / "crowd" / crowd / "gold.csv").set_index("task")["label"]
    answers = answers[answers["task"].isin(gold.index)]
    by_task = (answers["label"] != answers["task"].map(gold)).groupby(answers["task"]).agg(["sum", "size"])
    bad, size = by_task["sum"].to_numpy(), by_task["size"].to_numpy()
    rng = np.random.default_rng(0)
    three = np.array([rng.hypergeometric(b, s - b, 3, 200) >= 2 for b, s in zip(bad, size, strict=True)]).mean()
    disagree = 2 * bad * (size - bad) / (size * (size - 1))
    wrong = bad.sum() / size.sum()
    votes = Votes(
        np.array([size.sum() - bad.sum(), 0]), np.array([bad.sum(), 0]), size.sum(), 0, 0, 0, 0,
        len(bad), disagree.sum(), (disagree**2).sum(), {3: 1},
    )  # fmt: skip
    people = vote_errors(votes, 2000, rng, np.array([1.0, 0.0]))
    told = np.median(majority_error(people.wrong, people.correlation, 3, ties=False)[:, 0])
    assert abs(told - three) < 0.012
    assert abs(told - three) <= abs(wrong**2 * (3 - 2 * wrong) - three) + 0.012


def test_images_harder_than_the_control_tasks_show_in_the_disagreement() -> None:
    easy = Votes(np.array([200, 200]), np.array([2, 2]), 404, 0, 0, 0, 0, 400, 400 * 0.3, 400 * 0.2, {3: 400})
    people = vote_errors(easy, 500, np.random.default_rng(0), np.array([0.5, 0.5]))
    assert np.median(people.wrong) > 0.15  # votes that disagree on 30 % of the pairs are wrong more often than on 1 %
    assert isclose(float(np.median(people.correlation)), 0, abs_tol=0.02)


def test_without_control_answers_or_with_worthless_labels_there_is_a_reason_and_no_number() -> None:
    rng = np.random.default_rng(0)
    evidence, agreement = simulated(rng, 0.9, 0.05, 0.1)
    blind = Votes(np.zeros(2, int), np.zeros(2, int), 0, 0, 0, 0, 0, 200, 20, 10, {3: 200})
    found = corrected(evidence, blind, agreement, 0.95)
    assert (found["value"], found["label_error"]) == (None, None)
    assert "no control task from the training images was answered" in found["reason"]
    other = corrected(evidence, evidence.votes, agreement, 0.95, merged_by="dawid_skene")
    assert (other["value"], other["label_error"]) == (None, None)
    assert "labels merged by dawid_skene" in other["reason"]
    guessing = Votes(np.array([100, 100]), np.array([100, 100]), 400, 0, 0, 0, 0, 200, 100, 60, {3: 200})
    found = corrected(evidence, guessing, agreement, 0.95)
    assert found["value"] is None
    assert found["label_error"]["value"] > 0.45


def test_annotators_of_different_skill_tell_less_than_as_many_independent_answers() -> None:
    sure = Votes(
        np.array([90, 90]), np.array([10, 10]), 200, 20, 2000, 200, 20, 0, 0, 0, {3: 1}
    )  # one wrong answer each
    unsure = Votes(
        np.array([90, 90]), np.array([10, 10]), 200, 20, 2000, 200, 200, 0, 0, 0, {3: 1}
    )  # two with all of them
    shares = np.array([0.5, 0.5])
    narrow, wide = (vote_errors(v, 3000, np.random.default_rng(0), shares).wrong.std() for v in (sure, unsure))
    assert wide > 1.5 * narrow


def of_classes(rng: np.random.Generator, k: int, wrong: float, twins: bool = False, n: int = 150, overlap: int = 3):
    """A day of `k` classes whose wrong votes go to any other class, or with `twins` to one: the evidence, the agreement, and the share of
    labels that are wrong."""

    def answers(truth: np.ndarray, votes: int) -> np.ndarray:
        other = truth[:, None] ^ 1 if twins else (truth[:, None] + rng.integers(1, k, (len(truth), votes))) % k
        return np.where(rng.random((len(truth), votes)) < wrong, other, truth[:, None])

    truth = rng.integers(0, k, n)
    predicted = np.where(rng.random(n) < 0.875, truth, (truth + rng.integers(1, k, n)) % k)
    counts = np.zeros((n, k))
    np.add.at(counts, (np.arange(n)[:, None], answers(truth, overlap)), 1)
    most = counts.max(axis=1, keepdims=True)
    label, clear = counts.argmax(axis=1), (counts == most).sum(axis=1) == 1
    confusion = np.zeros((k, k), dtype="int64")
    np.add.at(confusion, (label[clear], predicted[clear]), 1)
    known = np.arange(75) % k
    given = answers(known, 2)
    bad = given != known[:, None]
    missed = np.bincount(np.repeat(known, 2), bad.ravel(), k)
    rows = pd.DataFrame(
        {
            "image_id": np.repeat(np.arange(75), 2)[bad.ravel()],
            "known_label": np.repeat(known, 2)[bad.ravel()],
            "answer": given[bad],
        }
    )
    apart = disagreement(counts)
    votes = Votes(
        2 * np.bincount(known, minlength=k) - missed, missed, 300, 0, 0, 0, 0, n, apart.sum(), (apart**2).sum(),
        {overlap: int(clear.sum())}, spread_of(counts, rows, range(k)),
    )  # fmt: skip
    evidence = Evidence(confusion, Scores(), votes)
    value, labels = evidence.right / evidence.labels, evidence.labels
    low, high = wilson(value, labels, 0.95)
    return evidence, {"value": value, "low": low, "high": high, "n": labels, "effective_n": labels}


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
        said.append(found["label_error"]["value"])
        values.append(found["value"])
        inside += found["low"] <= 0.875 <= found["high"]
    assert least <= np.median(said) <= most
    assert abs(np.mean(values) - 0.875) < 0.03
    assert inside >= 7


def test_a_hundred_classes_and_ten_thousand_labels_take_no_second() -> None:
    evidence, agreement = of_classes(np.random.default_rng(9), 100, 0.1, n=10_000, overlap=5)
    began = time.process_time()
    corrected(evidence, evidence.votes, agreement, 0.95)
    assert time.process_time() - began < 2  # .4 s on an idle core


def test_the_spread_is_kept_with_the_day_and_added_up_and_days_without_it_are_read() -> None:
    first, second = (of_classes(np.random.default_rng(seed), 10, 0.2)[0] for seed in (1, 2))
    again = Evidence.of(json.loads(json.dumps(first.as_dict())))
    assert again.as_dict() == first.as_dict()
    together = pool_votes([again.votes, second.votes])
    assert together.spread.apart == {3: first.votes.spread.apart[3] + second.votes.spread.apart[3]}
    assert (together.spread.confused == first.votes.spread.confused + second.votes.spread.confused).all()
    stored = first.as_dict()
    del stored["votes"]["spread"]
    old = Evidence.of(stored)
    assert old.votes.spread is None
    assert pool_votes([old.votes, second.votes]).spread.three == second.votes.spread.three
