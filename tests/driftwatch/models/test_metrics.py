"""Shares with intervals: the right numbers, undefined where there is nothing, and covering the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import precision_recall_fscore_support

from driftwatch.artifacts.parts import Share
from driftwatch.models.metrics import f1, measure, share

CLASSES = ("cat", "dog", "fox")


def test_wilson_interval_is_that_of_the_formula() -> None:
    n, hits, z = 150, 92, 1.959963984540054
    p = hits / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    found = share(hits, n, 0.95)
    assert found.numbers == pytest.approx((p, centre - half, centre + half))


def test_numbers_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.choice(CLASSES, 200), rng.choice(CLASSES, 200)
    found = measure(truth.tolist(), predicted.tolist(), CLASSES)
    expected = precision_recall_fscore_support(truth, predicted, labels=CLASSES)
    for index, name in enumerate(CLASSES):
        ours = found.classes[name]
        assert [part.value for part in (ours.precision, ours.recall, ours.f1)] == pytest.approx(
            [part[index] for part in expected[:3]]
        )
        assert ours.support == expected[3][index]
    assert found.confusion_matrix.labels == CLASSES
    assert [*map(list, found.confusion_matrix.rows)] == sklearn_confusion(truth, predicted, labels=CLASSES).tolist()
    assert found.accuracy.value == pytest.approx((truth == predicted).mean())


def test_undefined_shares_are_null_with_a_reason_not_zero() -> None:
    found = measure(["cat", "cat", "dog"], ["cat", "cat", "cat"], CLASSES).classes
    reason = "the model answered dog for no labelled image"
    assert found["dog"].precision == Share(value=None, low=None, high=None, n=0, reason=reason)
    assert found["dog"].recall.value == 0
    assert found["dog"].f1.value == 0
    assert found["fox"].recall.reason == "no labelled image is fox"
    assert found["fox"].f1.value is None
    assert measure([], [], CLASSES).accuracy.value is None


def test_a_perfect_class_still_has_an_uncertain_f1() -> None:
    _, low, high = f1(20, 20, 0.95, "").numbers
    assert 0.8 < low < high == 1


@pytest.mark.parametrize(("n", "prevalence", "recall", "specificity"), [(60, 0.5, 0.9, 0.9), (150, 0.2, 0.7, 0.9)])
def test_intervals_cover_the_truth(n: int, prevalence: float, recall: float, specificity: float) -> None:
    rng = np.random.default_rng(1)
    cells = [
        prevalence * recall,
        prevalence * (1 - recall),
        (1 - prevalence) * (1 - specificity),
        (1 - prevalence) * specificity,
    ]
    true_f1 = 2 * cells[0] / (2 * cells[0] + cells[1] + cells[2])
    true_accuracy = cells[0] + cells[3]
    inside = []
    for hits, missed, wrong, rest in rng.multinomial(n, cells, 800).tolist():
        accuracy = share(hits + rest, n, 0.95)
        shown = f1(hits, hits + missed + wrong, 0.95, "")
        inside.append([accuracy.low <= true_accuracy <= accuracy.high, shown.low <= true_f1 <= shown.high])
    coverage = np.mean(inside, axis=0)
    assert ((coverage > 0.925) & (coverage < 0.98)).all(), coverage
