"""The registered Keras model as a predictor."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models.keras_file import answering, from_bytes
from driftwatch.models.predictors.from_images import ImagePredictor, ModelFacts, Run, load_registered
from driftwatch.models.predictors.shapes import chosen_output, refuse_other_input, refuse_scaled_bytes
from driftwatch.models.runtime import prepare

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True)
class KerasPredictor(ImagePredictor):
    """See `ImagePredictor`. `model` has one output, the answers."""

    model: keras.Model

    @property
    def parameters(self) -> int:
        return int(self.model.count_params())

    def runner(self, batch_size: int) -> tuple[Run, int]:
        """Every batch is filled up to one size, so that all have one shape and one compiled function."""
        import tensorflow as tf

        def run(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
            raw, hidden = self._compiled(tf.constant(batch))
            return raw.numpy().reshape(len(batch), -1), hidden.numpy()

        return run, self.model.inputs[0].shape[0] or batch_size

    @cached_property
    def _compiled(self) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
        import tensorflow as tf

        both = _with_embedding(self.model)
        dtype = both.inputs[0].dtype
        found: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]] = tf.function(
            lambda batch: both(tf.cast(batch, dtype), training=False)
        )
        return found


def load_model(store: MonitorStore, version: str) -> KerasPredictor:
    """The version's model, loaded in safe mode, which runs no code from the file.

    Raises UnknownVersion, DamagedArtifact, or DamagedModel: the file is another, holds code, or claims to hold more than it does.
    """
    return load_registered(store, version, opened)


def opened(data: bytes, facts: ModelFacts, name: str) -> KerasPredictor:
    """The model in the bytes of its file. `name` is for the errors. Raises DamagedModel, or NeedsAttention for one that does not fit."""
    prepare()
    model = from_bytes(data, name)
    shapes = [tuple(value.shape) for value in model.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise NeedsAttention(f"{name} has the inputs {shapes}; needed is one, a batch of images with four axes")
    refuse_other_input(shapes[0], facts.input, name)
    if "int" in model.inputs[0].dtype:
        refuse_scaled_bytes(facts.input, name)
    names = getattr(model, "output_names", ["output"])  # a Sequential has one, without a name
    outputs = dict(zip(names, model.outputs, strict=True))
    fits = {output: _answers(value.shape, facts.columns) for output, value in outputs.items()}
    described = "; ".join(
        f"{output} {['?' if n is None else n for n in value.shape]}" for output, value in outputs.items()
    )
    return KerasPredictor(facts, answering(model, chosen_output(fits, described, facts, name)))


def _answers(shape: tuple[int | None, ...], columns: tuple[int, ...]) -> bool:
    """Whether it may be [n, columns]."""
    sides = [side for side in shape[1:] if side is not None]
    return len(sides) == len(shape) - 1 and math.prod(sides) in columns


def _with_embedding(model: keras.Model) -> keras.Model:
    """The model with a second output, [n, width]: the input of the last layer with weights that leads to its answers. If that is a
    map, it is averaged over space. If that layer is a functional model, such as one behind the step that scales its input, it is the one in
    there. If the model is one opaque layer, the second output is the model's own output."""
    import keras

    image, answer = model.inputs[0], model.outputs[0]
    last = next((layer for layer in reversed(model.layers) if layer.weights), None)
    if isinstance(last, keras.Model) and not isinstance(last, keras.Sequential):
        if len(last.inputs) == len(last.outputs) == 1:
            return _with_embedding_of(model, last)
        last = None  # its input is not one of this model's values
    hidden = getattr(last, "input", None)
    if not isinstance(hidden, keras.KerasTensor) or hidden is image:
        hidden = answer
    if len(hidden.shape) > 2:
        hidden = keras.ops.mean(hidden, axis=tuple(range(1, len(hidden.shape) - 1)))
    return keras.Model(image, [answer, hidden])


def _with_embedding_of(model: keras.Model, last: keras.Model) -> keras.Model:
    """The model with the embedding of the one in it, `last`. Where that is asked more than once, as of an image and its mirror image, it is
    the embedding of the last time."""
    import keras

    inner, found = _with_embedding(last), []

    def call(layer: keras.Layer, *args: Any, **more: Any) -> Any:
        if layer is not last:
            return layer(*args, **more)
        answer, embedding = inner(*args, **more)
        found.append(embedding)
        return answer

    plain = keras.Model(model.inputs, model.outputs)  # of a Sequential no calls can be changed
    whole = keras.models.clone_model(plain, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(whole.inputs, [*whole.outputs, found[-1]])
