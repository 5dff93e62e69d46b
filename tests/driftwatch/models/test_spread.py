"""A few images in place of many have every class."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.models.spread import evenly


@pytest.mark.parametrize("shuffled", [False, True])
def test_every_class_has_as_many_and_a_rare_one_all_of_its_own(shuffled: bool) -> None:
    labels = np.repeat([0, 1, 2], [1000, 3, 500])
    if shuffled:
        labels = np.random.default_rng(0).permutation(labels)
    places = evenly(labels, 63)
    assert np.bincount(labels[places]).tolist() == [30, 3, 30]
    assert (np.diff(places) > 0).all()


def test_within_a_class_they_reach_from_its_first_image_to_its_last() -> None:
    labels = np.repeat([1, 0], [101, 100])
    assert evenly(labels, 10).tolist() == [0, 25, 50, 75, 100, 101, 126, 151, 175, 200]


def test_all_of_few_images_are_taken_once() -> None:
    assert evenly(np.array([1, 0, 1]), 64).tolist() == [0, 1, 2]
    assert evenly(np.array([], int), 64).tolist() == []


def test_of_more_classes_than_images_the_largest_have_one_each() -> None:
    labels = np.repeat(np.arange(10), np.arange(1, 11))
    assert sorted(labels[evenly(labels, 4)].tolist()) == [6, 7, 8, 9]
