"""What an epoch shows follows from the seed, the epoch and the weights."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.models.predictors.tensors import tensor_of
from driftwatch.models.training.base import Labelled, Recipe, TrainingSet
from driftwatch.models.training.batches import augment, batches, draw, unvaried


def targets(pictures: Labelled) -> np.ndarray:
    return np.eye(2, dtype="float32")[pictures.labels]


def test_each_image_is_drawn_once_an_epoch_without_weights() -> None:
    assert sorted(draw(1000, 1000, [0, 1])) == list(range(1000))


def test_weights_give_each_part_its_share_of_the_epoch() -> None:
    weights = np.concatenate([np.full(900, 0.6 / 900), np.full(100, 0.4 / 100)])
    found = np.bincount(draw(weights, 1500, [0, 1]), minlength=1000)
    assert abs(found[900:].sum() - 600) <= 1
    assert set(found[900:]) <= {5, 6, 7}
    assert set(found[:900]) <= {0, 1, 2}


def test_augmentation_keeps_shape_and_range_and_depends_on_the_seed_alone(pictures) -> None:
    images = pictures.images[:16]
    one, again, other = (augment(images, (24, 24), np.array([7, seed])).numpy() for seed in (1, 1, 2))
    assert one.shape == (16, 24, 24, 3)
    assert one.min() >= 0
    assert one.max() <= 255
    assert (one == again).all()
    assert (one != other).any()


def test_an_epoch_that_is_gone_on_from_shows_what_it_would_have_shown(pictures) -> None:
    recipe = Recipe(batch_size=10, seed=5, epoch_size=25)
    data = TrainingSet(pictures, classes=2)
    whole, later = (
        list(batches(data, recipe, epochs, (16, 16), targets(pictures))) for epochs in (range(3), range(1, 3))
    )
    assert [len(x) for x, _ in whole] == [10, 10, 5] * 3
    assert len(later) == 6
    for (x, y), (x_again, y_again) in zip(whole[3:], later, strict=True):
        assert (x.numpy() == x_again.numpy()).all()
        assert (y.numpy() == y_again.numpy()).all()
    assert (whole[0][0].numpy() != whole[3][0].numpy()).any()


def test_the_largest_seed_that_a_monitor_file_allows_will_do(pictures) -> None:
    recipe = Recipe(seed=2**31 - 1)
    assert len(list(batches(TrainingSet(pictures, classes=2), recipe, range(1), (16, 16), targets(pictures)))) == 1


@pytest.mark.parametrize("size", [32, 16])
def test_images_that_judge_are_shown_once_in_order_and_not_varied(pictures, size) -> None:
    ((x, y),) = unvaried(pictures, ModelInput.square(32), (size, size), targets(pictures))
    assert x.shape == (32, size, size, 3)
    assert (y.numpy().argmax(axis=1) == pictures.labels).all()
    if size == 32:
        assert (x.numpy() == pictures.images).all()


GIVEN = [
    ModelInput(
        height=32, width=32, scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), layout="nchw"
    ),
    ModelInput(height=32, width=32, colour="bgr", mean=(103.939, 116.779, 123.68)),
    ModelInput(height=32, width=32, colour="grey", scale=1 / 127.5, mean=(1.0,)),
]


@pytest.mark.parametrize("about", GIVEN)
def test_the_network_is_given_what_it_will_be_given_of_a_stored_image(pictures, about) -> None:
    ((x, _),) = unvaried(pictures, about, (32, 32), targets(pictures))
    np.testing.assert_array_equal(x.numpy(), tensor_of(pictures.images, about))
    recipe = Recipe(batch_size=16, seed=5)
    plain, given = (
        list(batches(TrainingSet(pictures, 2, input=each), recipe, range(1), (24, 16), targets(pictures)))
        for each in (None, about)
    )
    for (pixels, _), (x, _) in zip(plain, given, strict=True):
        assert pixels.shape == (16, 24, 16, 3)
        np.testing.assert_array_equal(x.numpy(), tensor_of(np.rint(pixels.numpy()).astype("uint8"), about))
