"""The card of a version says what was trained, on what, and how it did on images that it never saw."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import ImportedRecipe, ModelCard, ModelData, TimedEpochRow
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import keras_file, registry
from driftwatch.models.cards import Origin, Unlearnt, mean_score, package_versions, register_trained
from driftwatch.models.predictors.base import Predictions
from driftwatch.models.predictors.heads import Head
from driftwatch.models.training.base import Labelled, Trained

from .onnx_models import Net, data


@pytest.fixture(scope="module")
def trained() -> Trained:
    import keras

    flat = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    model = keras_file.to_bytes(keras.Sequential([keras.Input((32, 32, 3)), *flat]))
    epoch = TimedEpochRow(epoch=1, loss=0.5, accuracy=0.75, seconds=1.25)
    return Trained(model, Head("logits"), (epoch,))


@pytest.fixture
def store(empty) -> MonitorStore:
    return monitor_store(empty.storage, empty.layout, empty.config)


def some(n: int, side: int = 32) -> Labelled:
    images = np.random.default_rng(n).integers(0, 256, (n, side, side, 3)).astype("uint8")
    return Labelled(images, np.arange(n) % 2)


def origin(**data: Any) -> Origin:
    about = ModelData.model_validate_json(json.dumps({**samples.FIRST_CARD["data"], **data}))
    return Origin("alice", None, about, ImportedRecipe(name="imported", file="own.keras"), {"training": 7})


def registered(store: MonitorStore, trained: Trained, **data: Any) -> ModelCard:
    version = register_trained(store, trained, Unlearnt(some(6), some(9)), origin(**data))
    return registry.card(store, version)


def test_a_card_has_its_origin_its_outputs_and_its_holdout(store: MonitorStore, trained: Trained) -> None:
    card = registered(store, trained)
    assert (card.created_by, card.parent, card.seeds) == ("alice", None, {"training": 7})
    assert (card.classes, card.input_size, card.output) == (("across", "upright"), 32, "logits")
    assert card.sha256 == registry.digest_of(trained.model)
    assert card.metrics.holdout.n == card.metrics.holdout.accuracy.n == 9
    assert 0.5 <= (card.metrics.holdout.mean_score or 0) <= 1
    assert card.temperature > 0


def test_what_the_model_is_given_and_gives_is_on_its_card(store: MonitorStore) -> None:
    about = ModelInput(height=16, width=16, layout="nchw", scale=1 / 255)
    head = Head("sigmoid", "answer", "across")
    trained = Trained(data(Net(columns=1, end=("Sigmoid",))), head, kind="onnx", input=about)
    version = register_trained(store, trained, Unlearnt(some(6, 16), some(9, 16)), origin())
    card = registry.card(store, version)
    assert (card.kind, card.output, card.output_name, card.positive_class) == ("onnx", "sigmoid", "answer", "across")
    assert (card.model_input, card.input_size, card.parameters) == (about, 16, 6 * 27 + 6 + 1)
    assert {"onnxruntime", "numpy"} <= set(card.packages)
    assert "keras" not in card.packages


def test_what_production_answered_is_not_calibrated(store: MonitorStore) -> None:
    """A hundred images of which the wrong half is answered with certainty: a file's scores would be softened."""
    images, asked = some(100), []

    class Production:
        classes, input_size = 2, None

        def predict(self, of, batch_size):
            asked.append(of.image_ids)
            return Predictions(np.array([[0.999, 0.001]] * len(of.image_ids)), None, ["p"] * len(of.image_ids))

    known = Labelled(images.images, images.labels, np.array([f"{number:064d}" for number in range(100)]))
    stands_for = Trained(b"{}", Head("probabilities"), kind="endpoint")
    version = register_trained(store, stands_for, Unlearnt(known, known), origin(), lambda facts: Production())
    card = registry.card(store, version)
    assert (card.kind, card.temperature, card.parameters) == ("endpoint", 1.0, 0)
    assert card.metrics.holdout.mean_score == 0.999
    assert asked == [known.image_ids.tolist()]
    assert store.storage.read_bytes(store.keys.model(version, "endpoint")) == b"{}"


def test_how_long_an_epoch_took_is_no_part_of_a_card(store: MonitorStore, trained: Trained) -> None:
    version = registered(store, trained).version
    assert store.storage.read_json(store.keys.model_card(version))["history"] == [
        {"epoch": 1, "loss": 0.5, "accuracy": 0.75}
    ]


def test_the_same_weights_of_another_original_set_are_another_version(store: MonitorStore, trained: Trained) -> None:
    first, again, other = (registered(store, trained, set=name).version for name in ("a" * 16, "a" * 16, "b" * 16))
    assert first == again != other


def test_how_sure_a_model_is_is_the_mean_of_its_highest_scores() -> None:
    assert mean_score(np.array([[0.9, 0.1], [0.3, 0.7]])) == pytest.approx(0.8)
    assert mean_score(np.zeros((0, 2))) is None


def test_packages_that_are_not_installed_are_left_out() -> None:
    found = package_versions()
    assert {"python", "keras", "numpy"} <= set(found)
    assert all(found.values())
    assert {"tensorflow", "tensorflow-cpu"} & set(found)
