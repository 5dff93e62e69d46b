"""A registered model of each kind of predictor, which tells red, green and blue pictures apart."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import keras_file, registry
from driftwatch.models.predictors.base import Asked, Predictor, predictor
from driftwatch.storage import open_storage

from ..onnx_models import of_graph
from .endpoint.registered import registered_endpoint

SIDE = 16
# In an order that is not the alphabet's.
CLASSES = ("red", "green", "blue")


def _keras(store: MonitorStore) -> Predictor:
    """Logits are a tenth of each colour's mean; the embedding is those three means."""
    image = keras.Input((SIDE, SIDE, 3))
    dense = keras.layers.Dense(3, name="logits")
    model = keras.Model(image, dense(keras.layers.GlobalAveragePooling2D()(image)))
    dense.set_weights([np.eye(3, dtype="float32") / 10, np.zeros(3, "float32")])
    card = model_card(classes=list(CLASSES), input_size=SIDE, output="logits", temperature=1.0)
    data = keras_file.to_bytes(model)
    found = registry.register(store, registry.version_for(store, data), data, card)
    return predictor(store, found.version)


def _onnx(store: MonitorStore) -> Predictor:
    """The same by ONNX, channels first."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "tenth"], ["logits"]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])
    weights = numpy_helper.from_array(np.eye(3, dtype="float32") / 10, "tenth")
    data = of_graph(helper.make_graph(nodes, "colours", [image], [logits], [weights])).SerializeToString()
    given = {"height": SIDE, "width": SIDE, "layout": "nchw"}
    card = model_card(
        kind="onnx", classes=list(CLASSES), input_size=SIDE, input=given, output="logits", temperature=1.0
    )
    found = registry.register(store, registry.version_for(store, data), data, card)
    return predictor(store, found.version)


def pictures(n: int) -> np.ndarray:
    """uint8 [n, SIDE, SIDE, 3]: red, green, blue, red, …, in noise."""
    rng = np.random.default_rng(5)
    found = rng.integers(0, 60, (n, SIDE, SIDE, 3))
    found[np.arange(n), :, :, np.arange(n) % 3] += 120
    return found.astype(np.uint8)


def extremes() -> np.ndarray:
    """Pictures of one grey each, from black to white."""
    return np.stack([np.full((SIDE, SIDE, 3), level, np.uint8) for level in (0, 1, 127, 255)])


def ids_of(images: np.ndarray) -> list[str]:
    """The ids by which answers to these pictures are looked up."""
    return [hashlib.sha256(image.tobytes()).hexdigest() for image in images]


def _logged(store: MonitorStore) -> Predictor:
    """What the Keras model answered, written down by production."""
    known = np.concatenate([pictures(11), extremes()])
    found = _keras(store).predict(Asked([known]), 16)
    table = found.table(CLASSES).assign(image_id=ids_of(known), embedding=[*found.embeddings.astype("float32")])
    table[[f"score.{name}" for name in CLASSES]] = found.scores  # not rounded
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    card = model_card(kind="logged", classes=list(CLASSES), input_size=SIDE, output="probabilities", temperature=1.0)
    version = registry.version_for(store, buffer.getvalue())
    return predictor(store, registry.register(store, version, buffer.getvalue(), card).version)


# A new kind joins here, by a function that registers such a model and gives its predictor.
KINDS: dict[str, Callable[[MonitorStore], Predictor]] = {
    "keras": _keras,
    "onnx": _onnx,
    "logged": _logged,
    "endpoint": registered_endpoint,
}


@pytest.fixture(params=sorted(KINDS))
def any_predictor(request: pytest.FixtureRequest, tmp_path: Path) -> Predictor:
    return KINDS[request.param](monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("colours")))
