"""Answers of every head become scores, and what the answers do not tell is asked for by the setting's name."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.errors import NeedsAttention
from driftwatch.models.predictors.calibration import probabilities
from driftwatch.models.predictors.heads import Head

TWO, THREE = ("cat", "dog"), ("a", "b", "c")


def scores(head: Head, raw, classes=TWO, temperature: float = 1.0) -> np.ndarray:
    return probabilities(head.log_scores(np.array(raw), classes, "the model"), temperature)


@pytest.mark.parametrize(
    ("head", "raw", "expected"),
    [
        (Head("probabilities"), [[0.25, 0.75]], [[0.25, 0.75]]),
        (Head("logits"), [[0.0, np.log(3)]], [[0.25, 0.75]]),
        (Head("sigmoid"), [[0.75], [0.0], [1.0]], [[0.25, 0.75], [1, 0], [0, 1]]),
        (Head("sigmoid", positive_class="cat"), [[0.75]], [[0.75, 0.25]]),
        (Head("logit"), [[np.log(3)], [800.0], [-800.0]], [[0.25, 0.75], [0, 1], [1, 0]]),
        (Head("logit", positive_class="cat"), [[np.log(3)]], [[0.75, 0.25]]),
        (Head("sigmoids"), [[0.2, 0.6]], [[0.25, 0.75]]),
    ],
)
def test_scores_are_probabilities_in_the_order_of_the_classes(head: Head, raw, expected) -> None:
    np.testing.assert_allclose(scores(head, raw), expected, atol=1e-9)


def test_a_temperature_divides_the_log_odds_of_one_number_as_of_two() -> None:
    one, two = scores(Head("logit"), [[2.0]], temperature=2.0), scores(Head("logits"), [[0.0, 2.0]], temperature=2.0)
    np.testing.assert_allclose(one, two)
    np.testing.assert_allclose(one[0, 1], 1 / (1 + np.exp(-1)))


@pytest.mark.parametrize(
    ("raw", "classes", "output"),
    [
        ([[0.2, 0.8], [0.5, 0.5]], TWO, "probabilities"),
        (np.array([[0.2, 0.8]], np.float16), TWO, "probabilities"),
        ([[-1.0, 2.0], [0.2, 0.8]], TWO, "logits"),
        ([[0.1], [0.9]], TWO, "sigmoid"),
        ([[0.1], [1.9]], TWO, "logit"),
        ([[0.2, 0.3, 0.5]], THREE, "probabilities"),
    ],
)
def test_the_answers_tell_what_they_are(raw, classes, output) -> None:
    assert Head(None).told(np.array(raw), classes, "m").output == output


def test_one_number_is_the_chance_of_the_second_class_unless_told() -> None:
    raw = np.array([[0.1], [0.9]])
    assert Head(None).told(raw, TWO, "m").positive_class == "dog"
    assert Head(None, positive_class="cat").told(raw, TWO, "m").positive_class == "cat"


def test_chances_that_do_not_sum_to_one_are_asked_for() -> None:
    with pytest.raises(
        NeedsAttention, match=r"2 images .* model\.output cannot be told: set it to sigmoids .* or to logits"
    ):
        Head(None).told(np.array([[0.2, 0.3], [0.9, 0.8]]), TWO, "m")


@pytest.mark.parametrize(("raw", "classes"), [([[0.1]], THREE), ([[1, 2, 3]], TWO), ([1.0, 2.0], TWO)])
def test_another_number_of_columns_is_refused_with_both(raw, classes) -> None:
    with pytest.raises(
        NeedsAttention, match=r"m gives \[.*model\.output auto of . classes is \[n, .*model\.output_name"
    ):
        Head(None).told(np.array(raw), classes, "m")


def test_answers_that_are_no_numbers_are_counted_and_refused() -> None:
    with pytest.raises(
        NeedsAttention, match=r"1 of 2 images with NaN or infinite numbers: look at model\.input\.scale"
    ):
        scores(Head("logits"), [[0.0, 1.0], [np.nan, 0.0]])


@pytest.mark.parametrize("row", [[np.inf, 0.0], [-np.inf, -np.inf], [np.inf, -np.inf]])
def test_log_odds_of_which_no_chances_can_be_made_are_refused(row) -> None:
    with pytest.raises(NeedsAttention, match="1 of 2 images with NaN or infinite numbers"):
        scores(Head("logits"), [[0.0, 1.0], row])


def test_a_class_that_is_ruled_out_has_no_chance() -> None:
    np.testing.assert_allclose(scores(Head("logits"), [[-np.inf, 3.0]]), [[0.0, 1.0]])
    assert scores(Head("logits"), np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("head", [Head("probabilities"), Head("sigmoids"), Head("sigmoid")])
def test_log_odds_are_not_taken_for_chances(head: Head) -> None:
    raw = [[-3.0], [4.5]] if head.output == "sigmoid" else [[-3.0, 4.5]]
    with pytest.raises(NeedsAttention, match=rf"from -3 to 4\.5, and its output is known as {head.output}"):
        scores(head, raw)


def test_chances_are_not_taken_for_log_odds() -> None:
    """The softmax of a softmax: every class is right, and no score is above 0.58 of three classes."""
    with pytest.raises(
        NeedsAttention, match=r"m answers 2 images with .* that sum to 1, .* model\.output is logits: set it to prob"
    ):
        Head("logits").told(np.array([[0.2, 0.8], [0.99, 0.01]]), TWO, "m")
    assert Head("logits").told(np.array([[0.2, 0.8], [0.9, 0.3]]), TWO, "m").output == "logits"
    assert Head("logits").told(np.array([[1.2, -0.2]]), TWO, "m").output == "logits"


def test_chances_of_float16_may_miss_their_ends_a_little() -> None:
    np.testing.assert_allclose(scores(Head("probabilities"), [[1.001, -0.0005]]), [[1, 0]], atol=1e-9)
