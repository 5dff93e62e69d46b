"""The registered Keras model as a predictor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.predictors.base import Asked, Predictions
from driftwatch.models.predictors.calibration import probabilities
from driftwatch.models.runtime import prepare

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class KerasPredictor:
    """`model` takes images 0..255 [n, S, S, 3] and gives logits or probabilities. `from_logits` says which. S is `input_size`."""

    version: str
    model: keras.Model
    temperature: float
    from_logits: bool
    input_size: int

    @property
    def classes(self) -> int:
        return int(self.model.output_shape[-1])

    def predict(self, asked: Asked, batch_size: int) -> Predictions:
        """See `Predictor.predict`. One pass gives scores and embeddings."""
        raw, embeddings = logits_and_embeddings(self, asked.blocks, batch_size)
        return Predictions(probabilities(raw, self.temperature), embeddings, [self.version] * len(raw))


def load_model(store: MonitorStore, version: str) -> KerasPredictor:
    """The version's model. First the file's sha256 is compared with the card's; for the champion, also with the pointer's. Then Keras
    loads it in safe mode, which runs no code from the file.

    Raises UnknownVersion, DamagedArtifact, or DamagedModel: the file is another, holds code, or claims to hold more than it does.
    """
    prepare()
    data, card = registry.model_file(store, version)
    model = registry.from_bytes(data, store.storage.url(store.keys.model(version)))
    return KerasPredictor(version, model, card.temperature, card.output == "logits", card.input_size)


def logits(model: KerasPredictor, inputs: np.ndarray, batch_size: int) -> np.ndarray:
    """Logits [n, classes], float64, of uint8 images [n, S, S, 3]. For a model that answers in probabilities, their logarithm."""
    return logits_and_embeddings(model, [inputs], min(batch_size, max(1, len(inputs))))[0]


def logits_and_embeddings(
    model: KerasPredictor, blocks: Iterable[np.ndarray], batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Logits as `logits` gives them, and the embeddings: what the model's last hidden layer says, float16 [n, width]. Both in one pass.

    No batch goes beyond a block. The last batch of a block is filled up, so that all batches have one shape and one compiled function.
    """
    import tensorflow as tf

    both = _with_embedding(model.model)
    run = tf.function(lambda batch: both(tf.cast(batch, tf.float32), training=False))
    answer, hidden = both.outputs
    parts = [(np.zeros((0, answer.shape[-1]), "float32"), np.zeros((0, hidden.shape[-1]), "float16"))]
    limit = np.finfo("float16").max
    for block in blocks:
        _refuse_other_size(model, block)
        for start in range(0, len(block), batch_size):
            batch = block[start : start + batch_size]
            filled = np.concatenate([batch, np.zeros((batch_size - len(batch), *batch.shape[1:]), np.uint8)])
            raw, embeddings = (output.numpy()[: len(batch)] for output in run(tf.constant(filled)))
            parts.append((raw, np.clip(embeddings, -limit, limit).astype("float16")))
    raw, embeddings = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    raw = raw.astype("float64")
    return raw if model.from_logits else np.log(np.clip(raw, 1e-12, 1.0)), embeddings


def _refuse_other_size(model: KerasPredictor, images: np.ndarray) -> None:
    size = model.input_size
    if images.shape[1:] != (size, size, 3):
        raise NeedsAttention(
            f"model {model.version} takes images of [{size}, {size}, 3], these are {list(images.shape[1:])}: set model.input_size to {size} "
            "and take the images in again"
        )


def _with_embedding(model: keras.Model) -> keras.Model:
    """The model with a second output, [n, width]: the input of its last layer that has weights. If that is a map, it is
    averaged over space. If the model is one opaque layer, the second output is the model's own output."""
    import keras

    last = next((layer for layer in reversed(model.layers) if layer.weights), None)
    hidden = getattr(last, "input", None)
    image, answer = model.inputs[0], model.outputs[0]
    if not isinstance(hidden, keras.KerasTensor) or hidden is image:
        hidden = answer
    if len(hidden.shape) > 2:
        hidden = keras.ops.mean(hidden, axis=tuple(range(1, len(hidden.shape) - 1)))
    return keras.Model(image, [answer, hidden])
