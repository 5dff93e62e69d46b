"""What holds of every trainer. A new one joins by its name in TRAINERS."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from driftwatch.artifacts.models import TimedEpochRow
from driftwatch.models.keras_file import from_bytes
from driftwatch.models.training.base import Attempt, Recipe, Start, Trained, Trainer, TrainingSet, trainer

TRAINERS = ("keras",)
RECIPE = Recipe(epochs=2, width=4, seed=3, small_share=0, learning_rate=0.01)
THREE_EPOCHS = RECIPE.model_copy(update={"epochs": 3})


@pytest.fixture(scope="module", params=TRAINERS)
def any_trainer(request) -> Trainer:
    return trainer(request.param)


@pytest.fixture(scope="module")
def data(pictures) -> TrainingSet:
    return TrainingSet(pictures, classes=2, validation=pictures)


@pytest.fixture(scope="module")
def trained(any_trainer, data) -> Trained:
    """What RECIPE makes of the data."""
    return any_trainer.train(data, RECIPE)


@pytest.fixture(scope="module")
def three_epochs(any_trainer, data) -> Trained:
    return any_trainer.train(data, THREE_EPOCHS)


def start_of(trained: Trained) -> Start:
    return Start(trained.model, trained.head)


def test_the_model_takes_images_and_gives_a_number_for_each_class(trained) -> None:
    model = from_bytes(trained.model, "the trained model")
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 2)


def test_it_learns(any_trainer, data) -> None:
    trained = any_trainer.train(data, RECIPE.model_copy(update={"epochs": 12}))
    found = from_bytes(trained.model, "the trained model")(data.train.images.astype("float32"), training=False).numpy()
    assert (found.argmax(axis=1) == data.train.labels).mean() > 0.9
    if trained.head.output != "logits":
        assert np.allclose(found.sum(axis=1), 1, atol=1e-3)


def test_the_same_set_and_recipe_give_the_same_bytes_and_another_seed_gives_others(any_trainer, data, trained) -> None:
    other = any_trainer.train(data, RECIPE.model_copy(update={"seed": 4})).model
    assert any_trainer.train(data, RECIPE).model == trained.model
    assert other != trained.model


def test_each_epoch_is_told_and_noted(any_trainer, data) -> None:
    told: list[TimedEpochRow] = []
    history = any_trainer.train(data, RECIPE, attempt=Attempt(on_epoch=told.append)).history
    assert list(history) == told
    assert [row.epoch for row in history] == [1, 2]
    assert all({"loss", "accuracy", "val_loss", "val_accuracy", "seconds"} <= row.model_fields_set for row in history)


def test_it_goes_on_from_the_model_that_it_is_given_and_leaves_that_alone(any_trainer, data, trained) -> None:
    first, before = trained, bytes(trained.model)
    second = any_trainer.train(data, RECIPE.model_copy(update={"learning_rate": 1e-4}), start_of(first))
    anew = any_trainer.train(data, RECIPE.model_copy(update={"learning_rate": 1e-4}))
    assert first.model == before
    assert second.model not in (first.model, anew.model)
    assert second.history[0].loss < anew.history[0].loss


@pytest.mark.all_faults("it trains twice; test_batches.py has the weights")
def test_an_image_without_weight_teaches_nothing(any_trainer, data, trained) -> None:
    weights = np.where(np.arange(len(data.train.labels)) < 24, 1.0, 0.0)
    weighted = dataclasses.replace(data, weights=weights)
    images = data.train.images.copy()
    images[24:] = 255 - images[24:]
    changed = dataclasses.replace(weighted, train=dataclasses.replace(data.train, images=images))
    one, other = (any_trainer.train(each, RECIPE).model for each in (weighted, changed))
    assert one == other
    assert one != trained.model


@pytest.mark.parametrize("after", [1, pytest.param(2, marks=pytest.mark.all_faults("one kill is in the plain suite"))])
def test_a_killed_training_goes_on_and_ends_in_the_bytes_of_one_that_was_not(
    any_trainer, data, three_epochs, kept, killed, after
) -> None:
    killed(lambda attempt: any_trainer.train(data, THREE_EPOCHS, attempt=attempt), after)
    told: list[TimedEpochRow] = []
    resumed = any_trainer.train(data, THREE_EPOCHS, attempt=Attempt(kept, told.append))
    assert [row.epoch for row in told] == [1, 2, 3][after:]
    assert [row.epoch for row in resumed.history] == [1, 2, 3]
    assert resumed.model == three_epochs.model


@pytest.mark.all_faults("it trains twice")
def test_a_checkpoint_of_other_data_is_not_gone_on_from(any_trainer, data, kept, killed) -> None:
    killed(lambda attempt: any_trainer.train(data, RECIPE, attempt=attempt), 1)
    other = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=1 - data.train.labels))
    told: list[TimedEpochRow] = []
    any_trainer.train(other, RECIPE, attempt=Attempt(kept, told.append))
    assert [row.epoch for row in told] == [1, 2]


@pytest.mark.all_faults("test_retraining.py plans with it")
def test_it_says_how_long_it_would_take(any_trainer, data) -> None:
    short, long = (
        any_trainer.seconds(data, RECIPE.model_copy(update={"epoch_size": size})) for size in (1_000, 1_000_000)
    )
    assert 0 < short < long
