"""The example of a team's own trainer: it is sound Python, and all of it but PyTorch runs, with a stand-in that learns by arithmetic."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import TimedEpochRow
from driftwatch.errors import ConfigError, NeedsAttention
from driftwatch.models.predictors.base import Asked
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.training.base import Attempt, Labelled, Recipe, Start, TrainingSet, trainer

from .pages import ROOT

GIVEN = ModelInput(height=16, width=16, scale=1 / 255, layout="nchw")
RECIPE = Recipe(epochs=3, batch_size=8, seed=3)


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("torch_trainer", ROOT / "docs/examples/torch_trainer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def stand_in(example, monkeypatch) -> type:
    """`OnnxTrainer` with a network of one layer in place of PyTorch; it is also importable as `our_package:StandIn`."""
    onnx = pytest.importorskip("onnx")

    class StandIn(example.OnnxTrainer):
        def fit(self, data, recipe, weights, on_epoch):
            layer = np.array(weights.get("layer.weight", np.zeros((3, data.classes), np.float32)))
            history = []
            for epoch in range(recipe.epochs):
                losses, right, seen = 0.0, 0, 0
                for tensor, labels in self.batches(data, recipe, epoch):
                    seen_as = tensor.mean(axis=(2, 3)) - 0.5
                    raw = np.exp(seen_as @ layer)
                    chances = raw / raw.sum(axis=1, keepdims=True)
                    right += int((chances.argmax(1) == labels).sum())
                    losses -= float(np.log(chances[np.arange(len(labels)), labels]).sum())
                    seen += len(labels)
                    layer += 2 * seen_as.T @ (np.eye(data.classes)[labels] - chances).astype(np.float32)
                row = TimedEpochRow(epoch=epoch + 1, loss=losses / seen, accuracy=right / seen, seconds=0.0)
                history.append(row)
                if on_epoch:
                    on_epoch(row)
            return self.exported(layer, data.given), history

        def exported(self, layer: np.ndarray, given: ModelInput) -> bytes:
            helper, numbers = onnx.helper, onnx.numpy_helper.from_array
            floats = onnx.TensorProto.FLOAT
            nodes = [
                helper.make_node("GlobalAveragePool", ["images"], ["level"]),
                helper.make_node("Flatten", ["level"], ["flat"]),
                helper.make_node("Sub", ["flat", "half"], ["seen"]),
                helper.make_node("MatMul", ["seen", "layer.weight"], ["logits"]),
            ]
            graph = helper.make_graph(
                nodes,
                "stand_in",
                [helper.make_tensor_value_info("images", floats, ["n", *given.shape])],
                [helper.make_tensor_value_info("logits", floats, ["n", layer.shape[1]])],
                [numbers(layer, "layer.weight"), numbers(np.float32(0.5), "half")],
            )
            opset = [helper.make_opsetid("", 17)]
            return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()

        def step_seconds(self, data, recipe):
            return 0.001

    package = ModuleType("our_package")
    package.StandIn = StandIn
    monkeypatch.setitem(sys.modules, "our_package", package)
    return StandIn


@pytest.fixture
def data() -> TrainingSet:
    """Dark images of class 0 and light ones of class 1, and as many that have no weight and another truth."""
    rng, labels = np.random.default_rng(0), np.arange(64) % 2
    images = np.clip(rng.normal(70 + 110 * labels[:, None, None, None], 20, (64, 16, 16, 3)), 0, 255).astype("uint8")
    weights = np.where(np.arange(64) < 32, 1.0, 0.0)
    return TrainingSet(Labelled(images, np.where(weights > 0, labels, 1 - labels)), 2, None, weights, GIVEN)


def test_the_whole_example_is_sound_and_leaves_no_method_of_its_base_or_of_the_protocol_out(example):
    assert example.OnnxTrainer.__abstractmethods__ == {"fit", "step_seconds"}
    found = example.TorchTrainer()
    for name in ("train", "seconds"):
        assert callable(getattr(found, name))


def test_a_trainer_that_leaves_a_method_out_is_refused_before_anything_is_trained(example, monkeypatch):
    package = ModuleType("our_package")
    package.Half = type("Half", (example.OnnxTrainer,), {"fit": lambda *_: None})
    monkeypatch.setitem(sys.modules, "our_package", package)
    with pytest.raises(ConfigError, match=r"retraining.trainer: our_package:Half cannot be made .*step_seconds"):
        trainer("our_package:Half")


def test_the_monitor_file_s_import_path_finds_it_and_it_makes_an_onnx_model_that_has_learnt(stand_in, data):
    from driftwatch.models.predictors.onnx import opened

    found = trainer("our_package:StandIn")
    told: list[TimedEpochRow] = []
    trained = found.train(data, RECIPE, attempt=Attempt(on_epoch=told.append))
    assert (trained.kind, trained.head.output, trained.input) == ("onnx", "logits", GIVEN)
    assert list(trained.history) == told
    assert [row.epoch for row in told] == [1, 2, 3]
    facts = ModelFacts("v1", ("dark", "light"), trained.input, trained.head)
    scores = opened(trained.model, facts, "v1").predict(Asked([data.train.images[:32]]), 8).scores
    assert (scores.argmax(axis=1) == data.train.labels[:32]).mean() > 0.9


def test_it_goes_on_from_the_champion_s_weights_and_the_same_training_gives_the_same_bytes(stand_in, data):
    found = stand_in()
    first, again = (found.train(data, RECIPE) for _ in range(2))
    assert first.model == again.model
    onward = found.train(data, RECIPE, Start(first.model, first.head))
    assert onward.model != first.model
    assert onward.history[0].loss < first.history[0].loss
    assert found.seconds(data, RECIPE.model_copy(update={"epoch_size": 80})) == pytest.approx(0.001 * 10 * 3)


def test_weights_that_pytorch_keeps_once_have_all_their_names(example):
    """Two biases that are equal become one, with an Identity for the other's name: no ResNet of this trainer could be trained on."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    nodes = [helper.make_node("Identity", ["a.bias"], ["b.bias"]), helper.make_node("Identity", ["b.bias"], ["c.bias"])]
    kept = [onnx.numpy_helper.from_array(np.float32([1, 2]), "a.bias")]
    graph = helper.make_graph([*nodes, helper.make_node("Identity", ["images"], ["logits"])], "g", [], [], kept)
    found = example.weights_of(helper.make_model(graph).SerializeToString())
    assert list(found) == ["a.bias", "b.bias", "c.bias"]
    assert all(weight.tolist() == [1, 2] for weight in found.values())


def test_a_champion_whose_weights_were_melted_is_told_how_to_be_exported(example):
    weights = {"fc.weight": np.zeros(2), "onnx::Conv_193": np.zeros(3)}
    assert list(example.those_of(["fc.weight"], weights)) == ["fc.weight"]
    with pytest.raises(NeedsAttention, match=r"lacks 1 of the network's 2 weights, such as bn1\.bias: .*PRESERVE"):
        example.those_of(["fc.weight", "bn1.bias"], weights)


def test_no_batch_has_a_single_image_which_batch_normalisation_cannot_take(stand_in, data):
    sizes = [len(labels) for _, labels in stand_in().batches(data, RECIPE.model_copy(update={"batch_size": 9}), 0)]
    assert sizes == [9] * 7
    assert [len(labels) for _, labels in stand_in().batches(data, RECIPE.model_copy(update={"epoch_size": 1}), 0)] == [
        1
    ]
