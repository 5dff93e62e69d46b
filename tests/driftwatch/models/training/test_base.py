"""Trainers by name, and what they are given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.models.training.base import Labelled, Recipe, trainer


def test_keras_is_the_built_in_one() -> None:
    from driftwatch.models.training.keras import KerasTrainer

    assert isinstance(trainer(), KerasTrainer)


def test_labels_are_places_in_the_classes() -> None:
    found = Labelled.of(
        np.zeros((3, 8, 8, 3), np.uint8),
        pd.DataFrame({"image_id": ["c", "b", "a"], "label": ["dog", "cat", "dog"]}),
        ("cat", "dog"),
    )
    assert found.labels.tolist() == [1, 0, 1]
    assert found.where(found.labels == 0).labels.tolist() == [0]
    assert found.where(found.labels == 1).image_ids.tolist() == ["c", "a"]
    assert found.and_then(found.where(np.array([1]))).labels.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(("epoch_size", "n", "steps"), [(None, 64, 2), (None, 65, 3), (100, 64, 4)])
def test_an_epoch_has_as_many_steps_as_its_images_need(epoch_size, n, steps) -> None:
    assert Recipe(batch_size=32, epoch_size=epoch_size).steps(n) == steps


def test_at_least_one_epoch_is_at_the_full_size() -> None:
    assert Recipe(epochs=10, small_share=0.79).small_epochs == 8
    assert Recipe(epochs=1, small_share=0.99).small_epochs == 0
