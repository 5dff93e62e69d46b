"""Twenty models of all heads, scales, orders of channels and axes: each is imported, answers a day, and answers as its own framework
does when it is given what the settings say."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from keras import layers
from onnx import TensorProto, helper
from PIL import Image
from tests.stores import monitor_store

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.images.inputs import DayInputs
from driftwatch.models.champion import import_champion
from driftwatch.models.original_set import take_in_training_set
from driftwatch.models.predict import predict_day
from driftwatch.models.registry import card
from driftwatch.storage import open_storage

from .conftest import CLASSES, World, make_config, open_world, striped
from .onnx_models import Net
from .onnx_models import model as net_of

DAY = date(2026, 1, 3)
SIDE = 16
WIDE = {"size": [16, 24], "resize": "crop", "interpolation": "bilinear"}
Answers = Callable[[np.ndarray], np.ndarray]


def scaled(images: np.ndarray, **settings: Any) -> np.ndarray:
    """What a serving of the team's own would make of the pixels: written out, in double precision."""
    x = images.astype(np.float64)
    colour, scale = settings.get("colour", "rgb"), settings.get("scale", 1)
    if colour == "grey":
        x = np.stack([np.asarray(Image.fromarray(picture).convert("L"), np.float64) for picture in images])[..., None]
    if colour == "bgr" or scale == "caffe":
        x = x[..., ::-1]
    if scale in ("0..1", "imagenet"):
        x = x / 255
    if scale == "imagenet":
        x = (x - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    if scale == "-1..1":
        x = x / 127.5 - 1
    if scale == "caffe":
        x = x - [103.939, 116.779, 123.68]
    if not isinstance(scale, str):
        x = (x * scale - np.array(settings.get("mean", 0))) / np.array(settings.get("std", 1))
    return x.transpose(0, 3, 1, 2) if settings.get("layout") == "nchw" else x


@dataclass(frozen=True)
class Case:
    """`make` saves the model and gives its own answers on what it is given. `scores`: probabilities of (across, upright) of these.
    `within`: how near they must be."""

    make: Callable[[Path], tuple[Path, Answers]]
    output: str
    settings: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    scores: Callable[[np.ndarray], np.ndarray] = lambda answers: answers
    within: float = 1e-5


def softmax(raw: np.ndarray) -> np.ndarray:
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def sigmoid(raw: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-raw))


def second(chance: np.ndarray) -> np.ndarray:
    """One number a picture: the second class's chance."""
    chance = chance.reshape(-1, 1)
    return np.concatenate([1 - chance, chance], axis=1)


def share(chances: np.ndarray) -> np.ndarray:
    return chances / chances.sum(axis=1, keepdims=True)


def of_keras(
    *head: Any, channels: int = 3, before: tuple[Any, ...] = (), **options: Any
) -> Callable[[Path], tuple[Path, Answers]]:
    """`options`: shape of the input; `two`: a second output; `which`: the output that answers."""

    def make(folder: Path) -> tuple[Path, Answers]:
        image = keras.Input(options.get("shape", (SIDE, SIDE, channels)))
        x = image
        for layer in (*before, layers.Conv2D(6, 3, activation="relu"), layers.GlobalAveragePooling2D()):
            x = layer(x)
        hidden = x
        for layer in head:
            x = layer(x)
        model = keras.Model(image, [layers.Dense(2, name="other")(hidden), x] if options.get("two") else x)
        # The layers in CASES drew their first weights while this file was imported, otherwise each time.
        rng = np.random.default_rng(3)
        model.set_weights(
            [rng.normal(0, 1 / math.sqrt(weights[..., 0].size), weights.shape) for weights in model.get_weights()]
        )
        model.save(folder / "model.keras")

        def answers(tensor: np.ndarray) -> np.ndarray:
            found = model(tensor.astype("float32"), training=False)
            return np.asarray(found[1] if options.get("two") else found, "float64")

        return folder / "model.keras", answers

    return make


def of_onnx(
    net: Net, change: Callable[[onnx.ModelProto], str] = lambda model: "answer"
) -> Callable[[Path], tuple[Path, Answers]]:
    """`change` alters the model and names the output that answers."""

    def make(folder: Path) -> tuple[Path, Answers]:
        model = net_of(net)
        output = change(model)
        onnx.save(model, folder / "model.onnx")
        if net.dtype == HALF:  # what is asked for decides where ONNX Runtime rounds to half precision
            model.graph.output.append(onnx.ValueInfoProto(name="pooled"))
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        dtype = helper.tensor_dtype_to_np_dtype(net.image or net.dtype)
        step = net.batch or 1000

        def answers(tensor: np.ndarray) -> np.ndarray:
            rows = np.concatenate([tensor, np.zeros((-len(tensor) % step if net.batch else 0, *tensor.shape[1:]))])
            parts = [
                session.run([output], {"image": rows[start : start + step].astype("float32").astype(dtype)})[0]
                for start in range(0, len(rows), step)
            ]
            return np.concatenate(parts)[: len(tensor)].astype("float64")

        return folder / "model.onnx", answers

    return make


def with_features_and_labels(model: onnx.ModelProto) -> str:
    """More outputs, as exporters add them: the hidden layer, which is [n, 6], and the class's number."""
    model.graph.node.append(helper.make_node("ArgMax", ["answer"], ["label"], axis=1, keepdims=0))
    model.graph.output.append(helper.make_tensor_value_info("label", TensorProto.INT64, ["n"]))
    model.graph.output.append(helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["n", 6]))
    return "answer"


def with_two_answers(model: onnx.ModelProto) -> str:
    model.graph.node.append(helper.make_node("Softmax", ["answer"], ["chances"], axis=1))
    model.graph.output.append(helper.make_tensor_value_info("chances", TensorProto.FLOAT, ["n", 2]))
    return "chances"


def squeezed(model: onnx.ModelProto) -> str:
    """[n] instead of [n, 1]."""
    model.graph.node[-1].output[0] = "column"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1], np.int64), "axis"))
    model.graph.node.append(helper.make_node("Squeeze", ["column", "axis"], ["answer"]))
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["n"]))
    return "answer"


HALF, BYTES = TensorProto.FLOAT16, TensorProto.UINT8
CASES = {
    "keras softmax": Case(of_keras(layers.Dense(2, activation="softmax"), before=(layers.Rescaling(1 / 255),)), "probabilities"),
    "keras logits 0..1": Case(of_keras(layers.Dense(2)), "logits", {"scale": "0..1"}, scores=softmax),
    "keras sigmoid -1..1": Case(of_keras(layers.Dense(1, activation="sigmoid")), "sigmoid", {"scale": "-1..1"}, scores=second),
    "keras logit, the first class is the positive one, bgr": Case(
        of_keras(layers.Dense(1)), "logit", {"colour": "bgr", "scale": 0.01}, {"positive_class": "across", "output": "logit"},
        scores=lambda raw: second(sigmoid(raw))[:, ::-1],
    ),
    "keras sigmoids imagenet": Case(
        of_keras(layers.Dense(2, activation="sigmoid")), "sigmoids", {"scale": "imagenet"}, {"output": "sigmoids"}, scores=share,
    ),
    "keras float16": Case(
        of_keras(layers.Dense(2, dtype="float16", activation="softmax")), "probabilities", {"scale": "0..1"}, scores=share,
        within=1e-3,  # its last layer computes in half precision, whose steps are 0.0005 here
    ),
    "keras second output": Case(
        of_keras(layers.Dense(2, activation="softmax", name="mine"), two=True), "probabilities", {"scale": "0..1"}, {"output_name": "mine"},
    ),
    "keras any size, grey": Case(
        of_keras(layers.Dense(2), channels=1, shape=(None, None, 1)), "logits", {"colour": "grey", "scale": "-1..1"}, scores=softmax,
    ),
    "keras nchw, wide": Case(
        of_keras(layers.Dense(2), before=(layers.Permute((2, 3, 1)),), shape=(3, 16, 24)), "logits",
        {"layout": "nchw", "scale": "0..1", **WIDE}, scores=softmax,
    ),
    "keras mean and std of its own": Case(
        of_keras(layers.Dense(2)), "logits", {"scale": 0.5, "mean": [10, 20, 30], "std": [50, 60, 70]}, scores=softmax,
    ),
    "onnx softmax imagenet": Case(of_onnx(Net(end=("Softmax",))), "probabilities", {"scale": "imagenet", "layout": "nchw"}),
    "onnx logits nhwc bytes": Case(
        of_onnx(Net(layout="nhwc", image=BYTES, spread=0.003)), "logits", scores=softmax,
    ),
    "onnx sigmoid": Case(of_onnx(Net(1, end=("Sigmoid",))), "sigmoid", {"scale": "0..1", "layout": "nchw"}, scores=second),
    "onnx logit without an axis": Case(
        of_onnx(Net(1), squeezed), "logit", {"scale": "-1..1", "layout": "nchw"}, {"output": "logit"}, scores=lambda raw: second(sigmoid(raw)),
    ),
    "onnx sigmoids caffe": Case(
        of_onnx(Net(end=("Sigmoid",), spread=0.01)), "sigmoids", {"scale": "caffe", "layout": "nchw"}, {"output": "sigmoids"}, scores=share,
    ),
    "onnx float16": Case(
        of_onnx(Net(dtype=HALF, end=("Softmax",))), "probabilities", {"scale": "0..1", "layout": "nchw"}, scores=share,
    ),
    "onnx with features and labels beside": Case(
        of_onnx(Net(), with_features_and_labels), "logits", {"scale": "0..1", "layout": "nchw", "colour": "bgr"}, scores=softmax,
    ),
    "onnx named output": Case(
        of_onnx(Net(), with_two_answers), "probabilities", {"scale": "0..1", "layout": "nchw"}, {"output_name": "chances"},
    ),
    "onnx one at a time, nhwc, wide": Case(
        of_onnx(Net(batch=1, layout="nhwc", size=(16, 24))), "logits", {"scale": "-1..1", **WIDE}, scores=softmax
    ),
    "onnx four at a time, any size, grey": Case(
        of_onnx(Net(batch=4, size=None, channels=1)), "logits", {"colour": "grey", "scale": "0..1", "layout": "nchw"}, scores=softmax,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Path]:
    """A storage with forty training images and a day of eleven. Of the settings only those of a wide picture change the stored pixels,
    so there are two of them."""
    roots: dict[bool, Path] = {}

    def of(settings: dict[str, Any]) -> Path:
        wide = "size" in settings
        if wide not in roots:
            roots[wide] = root = tmp_path_factory.mktemp("twenty") / "storage"
            world = World(**{**vars(open_world(root)), "config": configured(root, WIDE if wide else {}, {})})
            rng = np.random.default_rng(0)
            for label in CLASSES:
                for number in range(20):
                    world.put_training(label, f"{number:03d}", striped(rng, label))
            take_in_training_set(monitor_store(world.storage, world.layout, world.config))
            world.add_day(DAY, 11)
        return roots[wide]

    return of


def configured(root: Path, settings: dict[str, Any], model: dict[str, Any]) -> MonitorConfig:
    said = make_config(root).model_dump(exclude={"model"})
    return MonitorConfig.model_validate({**said, "model": {**model, "input": {"size": SIDE, **settings}}})


def test_there_are_twenty() -> None:
    assert len(CASES) == 20


@pytest.mark.parametrize("name", CASES)
def test_it_answers_a_day_as_its_own_framework_does(name: str, taken: Callable[..., Path], tmp_path: Path) -> None:
    case = CASES[name]
    shutil.copytree(taken(case.settings), tmp_path / "storage")
    config = configured(tmp_path / "storage", case.settings, case.model)
    store = MonitorStore(open_storage(config.storage.uri), config)
    path, answers = case.make(tmp_path)
    version = import_champion(store, path)
    about = card(store, version)
    assert (about.kind, about.output) == (name.split()[0], case.output)
    day = store.day(DAY)
    predict_day(day, version)
    table = store.storage.read_table(day.keys.predictions)
    found = table[[f"score.{label}" for label in CLASSES]].to_numpy()
    tensor = scaled(DayInputs(day).take(range(11)), **case.settings)
    expected = case.scores(answers(tensor))
    np.testing.assert_allclose(found, expected, atol=case.within)
    assert np.ptp(found[:, 0]) > 1e-3, "the model answers every image alike, so the test proves nothing"
    assert np.ptp(store.storage.read_array(day.keys.embeddings).astype(float)) > 0
