"""Strata: rare predicted classes and unsure answers are asked about more often, and every image has a known chance."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.labels.strata import allocate, stratify


def answers(classes: int, n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Predicted classes of uneven shares with their scores."""
    rng = np.random.default_rng(classes)
    scores = rng.dirichlet(2 / np.arange(1, classes + 1), n)
    return scores.argmax(axis=1), scores


@pytest.mark.parametrize("classes", [2, 10, 100])
@pytest.mark.parametrize("wanted", [1, 7, 100, 300, 2000, 5000])
@pytest.mark.parametrize("scored", [True, False])
def test_each_image_is_in_one_stratum_and_as_many_are_asked_about_as_wanted(classes, wanted, scored) -> None:
    said, scores = answers(classes)
    found = stratify(said, scores if scored else None, [f"c{place}" for place in range(classes)], wanted)
    assert found.images.sum() == 2000
    assert np.bincount(found.of_image).tolist() == found.images.tolist()
    assert found.asked.sum() == min(wanted, 2000)
    assert (found.asked <= found.images).all()
    assert len(set(found.names)) == len(found.names) <= max(1, wanted // 5)
    if wanted >= 100:
        assert (found.asked >= np.minimum(found.images, 2)).all()


def test_unsure_answers_and_rare_classes_have_a_larger_chance() -> None:
    said, scores = answers(2)
    found = stratify(said, scores, ["cat", "dog"], 100)
    chance = dict(zip(found.names, found.asked / found.images, strict=True))
    assert chance["cat, unsure 4 of 4"] > 1.5 * chance["cat, unsure 1 of 4"]
    by_class = stratify((np.arange(2000) % 20 == 0).astype(int), None, ["cat", "dog"], 100)  # a dog in 20 answers
    chance = dict(zip(by_class.names, by_class.asked / by_class.images, strict=True))
    assert chance["dog, unsure 1 of 4"] > 2 * chance["cat, unsure 1 of 4"]


def test_a_sure_image_s_chance_has_a_floor_whatever_the_scores_say() -> None:
    said = np.zeros(2000, dtype="int64")
    scores = np.tile([1.0, 0.0], (2000, 1))
    scores[:20] = [0.6, 0.4]
    found = stratify(said, scores, ["cat", "dog"], 100)
    chance = found.asked[found.of_image] / found.images[found.of_image]
    assert chance.min() > 0.25 * 100 / 2000


def test_what_a_small_stratum_cannot_take_goes_to_the_others() -> None:
    assert allocate(np.array([3, 1000]), np.array([500.0, 500.0]), 100).tolist() == [3, 97]
    assert allocate(np.array([1, 1, 1]), np.ones(3), 2).sum() == 2
