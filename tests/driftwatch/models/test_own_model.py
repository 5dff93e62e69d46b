"""The team's own model is asked before it is registered, by any input, and a registered version of any kind afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import registry
from driftwatch.models.champion import read_model, telling
from driftwatch.models.dataset import take_in_training_set
from driftwatch.models.own_model import Scores, examine, examine_version
from driftwatch.models.training.base import Labelled

from .conftest import CLASSES, World
from .onnx_models import Net, data

NET = Net(size=(32, 32), layout="nhwc")


@pytest.fixture
def store(empty: World) -> MonitorStore:
    """A training set of stripes is taken in."""
    rng = np.random.default_rng(0)
    for label in CLASSES:
        for number in range(40):
            empty.put_training(label, f"{number:03d}", empty.striped(rng, label))
    store = monitor_store(empty.storage, empty.layout, empty.config)
    take_in_training_set(store)
    return store


def test_a_network_that_knows_nothing_of_the_images_is_at_chance_and_nothing_is_registered(
    store: MonitorStore, tmp_path: Path
) -> None:
    (tmp_path / "own.onnx").write_bytes(data(NET))
    own, found = examine(store, read_model(tmp_path / "own.onnx", store.config))
    assert own.facts.head.output == "logits"
    assert own.predictor.facts.head == own.facts.head
    assert found.by_chance
    assert registry.versions(store) == []


def test_a_model_is_asked_by_another_input_than_its_own(store: MonitorStore, tmp_path: Path) -> None:
    (tmp_path / "own.onnx").write_bytes(data(NET))
    own, _ = examine(store, read_model(tmp_path / "own.onnx", store.config))
    images = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)
    scores, about = Scores(own.predictor), ModelInput.square(32)
    plain = scores(images, about)
    assert plain.shape == (40, 2)
    assert np.allclose(plain.sum(axis=1), 1)
    turned = scores(images[..., ::-1].copy(), about.model_copy(update={"colour": "bgr"}))
    assert np.allclose(plain, turned, atol=1e-6)


def test_what_answers_mean_is_told_by_images_of_every_class_however_rare_it_is() -> None:
    labels = np.repeat([0, 1, 2], [700, 2, 700])
    images = np.zeros((len(labels), 16, 16, 3), np.uint8) + labels.astype(np.uint8)[:, None, None, None]
    some = telling(Labelled(images, labels))
    assert np.bincount(some[:, 0, 0, 0]).tolist() == [31, 2, 31]


def test_a_registered_version_is_judged_by_its_answers(store: MonitorStore) -> None:
    given = {"height": 32, "width": 32}
    card = model_card(kind="onnx", classes=[*CLASSES], input_size=32, input=given, output="logits", temperature=1.0)
    version = registry.version_for(store, data(NET))
    registry.register(store, version, data(NET), card)
    found = examine_version(store, version)
    assert found.accuracy.n == 12
    assert found.by_chance
