"""A model that guesses is told from one that knows, for two classes and for a hundred; and what would be far better is found."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.errors import NeedsAttention
from driftwatch.models.diagnosis import LEVEL, MOST_IMAGES, diagnose, of_answers
from driftwatch.models.training.base import Labelled
from driftwatch.models.variations import TRANSPOSED


def names(classes: int) -> list[str]:
    return [f"c{number}" for number in range(classes)]


def truth_of(classes: int, images: int) -> np.ndarray:
    return np.sort(np.arange(images) % classes)


@pytest.mark.parametrize(("classes", "images"), [(2, 10), (2, 300), (10, 60), (100, 150), (100, 300)])
def test_a_model_that_is_right_is_never_taken_for_one_that_guesses(classes: int, images: int) -> None:
    truth = truth_of(classes, images)
    found = of_answers(truth, truth, names(classes))
    assert not found.wrong
    assert not found.too_few


@pytest.mark.parametrize(("classes", "images"), [(2, 12), (10, 60), (100, 150)])
def test_a_model_that_guesses_passes_about_as_often_as_the_level_says(classes: int, images: int) -> None:
    rng, truth = np.random.default_rng(classes), truth_of(classes, images)
    found = [of_answers(truth, rng.integers(0, classes, images), names(classes)) for _ in range(8)]
    assert sum(not one.by_chance for one in found) <= 2
    assert sum(bool(one.better) for one in found) <= 1
    assert LEVEL == 0.01


def test_a_model_that_always_says_the_most_frequent_class_is_at_chance_whatever_its_share() -> None:
    truth = np.repeat([0, 1], [95, 5])
    found = of_answers(truth, np.zeros(100, int), names(2))
    assert found.accuracy.value == 0.95
    assert found.by_chance


def test_a_model_that_is_less_often_right_than_that_is_not_at_chance_where_it_knows_the_rare_class() -> None:
    truth = np.repeat([0, 1], [95, 5])
    said = truth.copy()
    said[:10] = 1  # accuracy 0.90
    assert not of_answers(truth, said, names(2)).by_chance


def test_too_few_images_are_told_as_that_and_refuse_only_what_is_not_above_chance() -> None:
    truth = np.repeat([0, 1], 3)
    right, wrong = of_answers(truth, truth, names(2)), of_answers(truth, 1 - truth, names(2))
    assert (right.too_few, right.by_chance) == (True, False)
    assert (wrong.too_few, wrong.by_chance) == (True, True)
    nothing = of_answers(truth[:0], truth[:0], names(2))
    assert (nothing.too_few, nothing.better) == (True, ())


def test_two_swapped_classes_of_ten_are_found_though_the_accuracy_is_far_above_chance() -> None:
    truth = truth_of(10, 300)
    order = np.arange(10)
    order[[3, 7]] = [7, 3]
    found = of_answers(truth, order[truth], names(10))
    assert found.accuracy.value == pytest.approx(0.8)
    assert not found.by_chance
    (better,) = found.better
    assert better.accuracy == 1
    assert better.order == ("c0", "c1", "c2", "c7", "c4", "c5", "c6", "c3", "c8", "c9")


def test_a_hundred_classes_in_another_order_are_put_right_by_images_that_did_not_choose_the_order() -> None:
    rng, truth = np.random.default_rng(1), truth_of(100, 300)
    order = rng.permutation(100)
    knows = np.where(rng.random(300) < 0.9, truth, rng.integers(0, 100, 300))
    (better,) = of_answers(truth, order[knows], names(100)).better
    assert 0.6 < better.accuracy <= 0.92
    assert better.order is not None
    assert np.mean([better.order[order[place]] == f"c{place}" for place in range(100)]) > 0.9


def test_a_good_model_is_asked_once() -> None:
    asked = []

    def answer(images: np.ndarray, about: ModelInput) -> np.ndarray:
        asked.append(about)
        return truth_of(2, len(images))

    holdout = Labelled(np.zeros((200, 16, 16, 3), np.uint8), truth_of(2, 200))
    assert not diagnose(holdout, names(2), ModelInput.square(16), answer).wrong
    assert len(asked) == 1


def test_swapped_axes_are_found_and_an_input_that_the_model_cannot_answer_is_left_out() -> None:
    rng = np.random.default_rng(0)
    truth = truth_of(2, 120)
    images = np.zeros((120, 16, 16, 3), np.uint8)
    for image, label in zip(images, truth, strict=True):  # bright above, or bright at the left
        image[: rng.integers(4, 8)] += np.uint8(100 * (label == 0))
        image[:, : rng.integers(4, 8)] += np.uint8(100 * (label == 1))

    def answer(given: np.ndarray, about: ModelInput) -> np.ndarray:
        if about.scale != 1 or about.mean:
            raise NeedsAttention("NaN")
        top, left = given[:, :4].mean(axis=(1, 2, 3)), given[:, :, :4].mean(axis=(1, 2, 3))
        swapped: np.ndarray = (top > left).astype(int)
        return swapped

    found = diagnose(Labelled(images, truth), names(2), ModelInput.square(16), answer)
    assert found.by_chance
    assert (TRANSPOSED,) in [one.settings for one in found.better]
    assert not any("scale" in setting for one in found.better for setting in one.settings)


def test_of_many_images_as_many_of_each_class_are_asked_about_however_rare_it_is() -> None:
    """Of 3000 images, in the order of their classes, 40 and 30 are of the second and the third, whose names are swapped."""
    truth = np.repeat([0, 1, 2], [2930, 40, 30])
    images = np.zeros((3000, 16, 16, 3), np.uint8)
    images[:, 0, 0, 0] = truth
    asked = []

    def answer(given: np.ndarray, about: ModelInput) -> np.ndarray:
        asked.append(len(given))
        return np.array([0, 2, 1])[given[:, 0, 0, 0]]

    found = diagnose(Labelled(images, truth), ("a", "b", "c"), ModelInput.square(16), answer)
    assert asked[0] == MOST_IMAGES
    assert found.better[0].order == ("a", "c", "b")
