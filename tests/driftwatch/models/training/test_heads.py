"""Targets are what the head says of a label."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.models.predictors.heads import Head
from driftwatch.models.training.base import Labelled, Recipe, Start, TrainingSet
from driftwatch.models.training.heads import Aim

LABELS = Labelled(np.zeros((3, 16, 16, 3), np.uint8), np.array([0, 1, 1]))


def aim(head: Head) -> Aim:
    return Aim.of(TrainingSet(LABELS, 2, class_names=("cat", "dog")), Start(b"", head))


@pytest.mark.parametrize(("positive", "targets"), [(None, [0, 1, 1]), ("dog", [0, 1, 1]), ("cat", [1, 0, 0])])
@pytest.mark.parametrize("output", ["sigmoid", "logit"])
def test_one_number_is_the_chance_of_the_positive_class(output, positive, targets) -> None:
    assert aim(Head(output, positive_class=positive)).targets(LABELS).ravel().tolist() == targets


@pytest.mark.parametrize("output", ["probabilities", "logits", "sigmoids"])
def test_several_numbers_are_one_for_each_class(output) -> None:
    assert aim(Head(output)).targets(LABELS).tolist() == [[1, 0], [0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("output", "right", "wrong"),
    [
        ("probabilities", [[0.9, 0.1]], [[0.1, 0.9]]), ("logits", [[3, -3]], [[-3, 3]]), ("sigmoids", [[0.9, 0.1]], [[0.1, 0.9]]),
        ("sigmoid", [[0.1]], [[0.9]]), ("logit", [[-3]], [[3]]),
    ],
)  # fmt: skip
def test_a_right_answer_costs_less_and_is_counted(output, right, wrong) -> None:
    found, first = aim(Head(output)), LABELS.where([0])
    loss, target = found.loss(Recipe(label_smoothing=0)), found.targets(first)
    good, bad = (float(loss(target, np.array(answer, "float32"))) for answer in (right, wrong))
    assert good < 0.3 < 1 < bad
    for answer, share in ((right, 1), (wrong, 0)):
        accuracy = found.accuracy()
        accuracy.update_state(target, np.array(answer, "float32"))
        assert float(accuracy.result()) == share


def test_a_new_network_gives_logits() -> None:
    assert Aim.of(TrainingSet(LABELS, 2), None).head == Head("logits")
