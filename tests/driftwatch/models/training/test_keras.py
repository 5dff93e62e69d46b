"""The built-in trainer: its stages, its early stop, and what it does with what is damaged. See test_conformance.py for the rest."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.model_input import InputConfig
from driftwatch.errors import DriftwatchError
from driftwatch.models import architecture
from driftwatch.models.archive import DamagedModel
from driftwatch.models.keras_file import from_bytes, to_bytes
from driftwatch.models.predictors.heads import Head
from driftwatch.models.predictors.tensors import tensor_of
from driftwatch.models.training.base import Attempt, Labelled, Recipe, Start, Trained, TrainingSet
from driftwatch.models.training.keras import KerasTrainer

STAGED = Recipe(epochs=3, width=4, seed=3, small_share=0.67, small_size=16)
STOPPING = Recipe(epochs=6, width=4, seed=3, small_share=0, patience=2, learning_rate=0.01)
OTHER_HEAD = pytest.mark.all_faults("one other head is in the plain suite")
train = KerasTrainer().train


@pytest.fixture(scope="module")
def wrong(pictures) -> TrainingSet:
    """The validation labels are the wrong ones, so that an early epoch is the best."""
    return TrainingSet(pictures, 2, Labelled(pictures.images, 1 - pictures.labels))


@pytest.fixture(scope="module")
def stopped(wrong) -> Trained:
    """What STOPPING makes of them."""
    return train(wrong, STOPPING)


@pytest.fixture(scope="module")
def staged(pictures) -> Trained:
    """What STAGED makes of the pictures."""
    return train(TrainingSet(pictures, 2), STAGED)


@pytest.mark.parametrize("after", [pytest.param(1, marks=pytest.mark.all_faults("one kill is in the plain suite")), 2])
def test_a_kill_in_and_behind_the_stage_on_small_images_changes_nothing(pictures, staged, kept, killed, after) -> None:
    data = TrainingSet(pictures, 2)
    killed(lambda attempt: train(data, STAGED, attempt=attempt), after)
    assert train(data, STAGED, attempt=Attempt(kept)).model == staged.model


@pytest.mark.all_faults("it trains twice for one setting")
def test_a_small_stage_is_left_out_where_the_images_are_no_larger(pictures) -> None:
    data = TrainingSet(pictures, 2)
    staged = STAGED.model_copy(update={"epochs": 1, "small_share": 0.5, "small_size": 32})
    plain = staged.model_copy(update={"small_share": 0.0})
    assert train(data, staged).model == train(data, plain).model


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(2, id="before the stop"),
        pytest.param(3, id="behind it", marks=pytest.mark.all_faults("one kill is in the plain suite")),
    ],
)
def test_an_early_stop_is_the_same_after_a_kill(wrong, stopped, kept, killed, after) -> None:
    losses = [row.val_loss for row in stopped.history]
    assert len(losses) == 3 == losses.index(min(losses)) + 1 + STOPPING.patience
    killed(lambda attempt: train(wrong, STOPPING, attempt=attempt), after)
    resumed = train(wrong, STOPPING, attempt=Attempt(kept))
    assert [row.val_loss for row in resumed.history] == losses
    assert resumed.model == stopped.model


def test_an_early_stop_keeps_the_best_epochs_weights(wrong, stopped, kept, killed, tmp_path) -> None:
    import keras

    killed(lambda attempt: train(wrong, STOPPING, attempt=attempt), 1)
    best = keras.models.load_model(tmp_path / "kept/checkpoints/epoch-0001.keras")
    found = from_bytes(stopped.model, "the stopped one")
    pairs = zip(found.get_weights(), best.get_weights(), strict=True)
    assert all((ours == theirs).all() for ours, theirs in pairs)


@pytest.mark.parametrize(
    ("patience", "images"),
    [
        pytest.param(0, 32, id="switched off", marks=pytest.mark.all_faults("the plain suite has too few images")),
        pytest.param(2, 29, id="too few validation images"),
    ],
)
def test_training_does_not_stop_early(wrong, patience, images) -> None:
    few = Labelled(wrong.validation.images[:images], wrong.validation.labels[:images])
    data = dataclasses.replace(wrong, validation=few)
    assert len(train(data, STOPPING.model_copy(update={"patience": patience})).history) == STOPPING.epochs


@pytest.mark.all_faults("it trains twelve epochs")
def test_a_training_that_was_not_stopped_keeps_its_last_epoch(wrong) -> None:
    patient = train(wrong, STOPPING.model_copy(update={"patience": 6}))
    losses = [row.val_loss for row in patient.history]
    assert losses.index(min(losses)) < len(losses) - 1
    assert patient.model == train(wrong, STOPPING.model_copy(update={"patience": 0})).model


@pytest.mark.all_faults("it trains at two sizes")
def test_epochs_on_small_images_do_not_count_for_an_early_stop(wrong) -> None:
    staged = STOPPING.model_copy(update={"small_share": 0.67, "small_size": 16, "patience": 1})
    assert len(train(wrong, staged).history) > staged.small_epochs + 1


def test_an_error_of_the_storage_keeps_its_cause(pictures) -> None:
    """Whether a task is tried again depends on it."""

    def refused(row: dict[str, float]) -> None:
        raise DriftwatchError("not written") from TimeoutError("the store is silent")

    with pytest.raises(DriftwatchError, match="not written") as found:
        train(TrainingSet(pictures, 2), STAGED, attempt=Attempt(on_epoch=refused))
    assert isinstance(found.value.__cause__, TimeoutError)


def test_a_damaged_checkpoint_is_named_with_what_to_delete(pictures, kept, killed, tmp_path) -> None:
    data = TrainingSet(pictures, 2)
    killed(lambda attempt: train(data, STAGED, attempt=attempt), 1)
    (tmp_path / "kept/checkpoints/epoch-0001.keras").write_bytes(b"no model")
    with pytest.raises(DamagedModel, match=r"epoch-0001\.keras is no whole checkpoint: .*Delete .*/checkpoints: "):
        train(data, STAGED, attempt=Attempt(kept))


def test_a_training_does_not_go_on_from_that_of_another_start_or_other_validation_images(
    pictures, wrong, kept, killed
) -> None:
    """The champion may be another when a killed task is tried again: a challenger whose card names it must come from it."""
    recipe, data = STAGED.model_copy(update={"epochs": 2, "small_share": 0.0}), TrainingSet(pictures, 2)
    first, other = (
        Start(to_bytes(architecture.build(data.given, 2, seed, 4)), Head("logits"), f"v{seed}") for seed in (1, 2)
    )
    killed(lambda attempt: train(data, recipe, first, attempt), 1)
    started: list[int] = []
    train(data, recipe, other, Attempt(kept, lambda row: started.append(row.epoch)))
    assert started == [1, 2]
    train(wrong, recipe, other, Attempt(kept, lambda row: started.append(row.epoch)))
    assert started == [1, 2, 1, 2]
    train(wrong, recipe, other, Attempt(kept, lambda row: started.append(row.epoch)))
    assert started == [1, 2, 1, 2]


def test_a_damaged_start_is_named(pictures) -> None:
    with pytest.raises(DamagedModel, match="models/v1"):
        train(TrainingSet(pictures, 2), STAGED, Start(b"no model", Head("logits"), "models/v1"))


@pytest.fixture
def wide(pictures) -> Labelled:
    """The same pictures, not square."""
    return Labelled(np.concatenate([pictures.images, pictures.images], axis=2)[:, 4:28, :40], pictures.labels)


def right(model: bytes, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of right answers to tensors."""
    found = from_bytes(model, "the model")(images, training=False).numpy()
    return float((found.argmax(axis=1) == labels).mean())


def test_a_network_learns_and_learns_on_from_what_the_monitor_file_gives_it(wide) -> None:
    about = ModelInput.of(InputConfig(size=(24, 40), scale="imagenet", layout="nchw"))
    data = TrainingSet(wide, 2, input=about)
    recipe = Recipe(epochs=10, width=4, seed=3, small_share=0.4, small_size=16, learning_rate=0.01)
    trained = train(data, recipe)
    assert from_bytes(trained.model, "the model").input_shape == (None, 3, 24, 40)
    tensors = tensor_of(wide.images, about)
    assert right(trained.model, tensors, wide.labels) > 0.9
    further = train(data, recipe.model_copy(update={"epochs": 1, "small_share": 0}), Start(trained.model, trained.head))
    assert right(further.model, tensors, wide.labels) > 0.9


@pytest.mark.parametrize(
    ("output", "positive"),
    [
        pytest.param("sigmoid", None, marks=OTHER_HEAD),
        ("logit", "across"),
        pytest.param("sigmoids", None, marks=OTHER_HEAD),
    ],
)
def test_a_model_with_another_head_learns_towards_its_own_answers(pictures, output, positive) -> None:
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.GlobalMaxPooling2D()(layers.Conv2D(8, 5, activation="relu")(layers.Rescaling(1 / 127.5, -1)(image)))
    last = layers.Dense(2 if output == "sigmoids" else 1, activation=None if output == "logit" else "sigmoid")
    start = Start(to_bytes(keras.Model(image, last(x))), Head(output, positive_class=positive))
    data = TrainingSet(pictures, 2, pictures, class_names=("across", "upright"))
    recipe = Recipe(epochs=12, seed=3, small_share=0, learning_rate=0.05)
    trained = train(data, recipe, start)
    assert trained.head == start.head
    found = from_bytes(trained.model, "the model")(pictures.images.astype("float32"), training=False).numpy()
    said = (
        found.argmax(axis=1) if output == "sigmoids" else (found[:, 0] > (0 if output == "logit" else 0.5)).astype(int)
    )
    assert ((1 - said if positive else said) == pictures.labels).mean() > 0.9
    assert trained.history[-1].accuracy > 0.9
