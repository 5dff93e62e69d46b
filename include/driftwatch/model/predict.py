"""Running a registered model on a day's images."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.layout import DayLayout, MonitorLayout
from driftwatch.model.runtime import prepare
from driftwatch.storage import Storage

if TYPE_CHECKING:
    import keras

    from driftwatch.model.registry import LoadedModel

# Rounding hides the last bits, in which machines of different vector width may differ.
SCORE_DECIMALS = 6


def predict_day(
    storage: Storage, day: DayLayout, layout: MonitorLayout, config: MonitorConfig, version: str
) -> dict[str, Any]:
    """The answers of model `version` on the day's inputs: writes embeddings.npy and predictions.parquet in the order of
    features.parquet.

    Columns: image_id, prediction (class), score.<class> (calibrated probabilities), model_version. Embeddings are float16
    [n, width] from the same pass. The same inputs give the same bytes. Returns counts: images, model_version, predictions
    (class: n).
    """
    from driftwatch.model.registry import load_model

    prepare()
    ids = storage.read_table(day.features)["image_id"]
    inputs = storage.read_array(day.inputs)
    if len(ids) != len(inputs):
        raise NeedsAttention(
            f"{storage.url(day.inputs)} has {len(inputs)} images, features.parquet {len(ids)}: clear ingest_images for {day.day}"
        )
    model = load_model(storage, layout, version)
    check_shapes(model, inputs, config, storage.url(layout.model(version)))
    raw, embeddings = logits_and_embeddings(model, inputs, config.model.batch_size)
    scores = probabilities(raw, model.temperature)
    table = answers(scores, config.classes)
    table.insert(0, "image_id", ids.to_numpy())
    table["model_version"] = version
    storage.write_array(day.embeddings, embeddings)
    storage.write_table(day.predictions, table)
    counts = Counter(table["prediction"])
    return {
        "images": len(table),
        "model_version": version,
        "predictions": {name: counts[name] for name in config.classes},
    }


def answers(scores: np.ndarray, classes: tuple[str, ...]) -> Any:
    """A frame of prediction and score.<class> from `scores` [n, classes]; the first class wins a tie."""
    import pandas as pd

    rounded = np.round(scores, SCORE_DECIMALS)
    table = pd.DataFrame(rounded, columns=[f"score.{name}" for name in classes], dtype="float64")
    table.insert(0, "prediction", np.array(classes, dtype=object)[rounded.argmax(axis=1)])
    return table


def logits(model: LoadedModel, inputs: np.ndarray, batch_size: int) -> np.ndarray:
    """Logits [n, classes], float64, of uint8 images [n, S, S, 3]; the logarithm for a model that answers in probabilities."""
    return logits_and_embeddings(model, inputs, batch_size)[0]


def logits_and_embeddings(model: LoadedModel, inputs: np.ndarray, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits as `logits` gives them, and what the model's last hidden layer says, float16 [n, width], in one pass.

    The last batch is filled up, so that one compiled function of one shape runs them all.
    """
    import tensorflow as tf

    both = _with_embedding(model.model)
    if not len(inputs):
        answer, hidden = both.outputs
        return np.zeros((0, answer.shape[-1])), np.zeros((0, hidden.shape[-1]), "float16")
    size = min(batch_size, len(inputs))
    run = tf.function(lambda batch: both(tf.cast(batch, tf.float32), training=False))
    parts = []
    for start in range(0, len(inputs), size):
        batch = inputs[start : start + size]
        filled = np.concatenate([batch, np.zeros((size - len(batch), *batch.shape[1:]), np.uint8)])
        parts.append([output.numpy()[: len(batch)] for output in run(tf.constant(filled))])
    raw, embeddings = (np.concatenate(part) for part in zip(*parts, strict=True))
    raw = raw.astype("float64")
    limit = np.finfo("float16").max
    return (
        raw if model.from_logits else np.log(np.clip(raw, 1e-12, 1.0)),
        np.clip(embeddings, -limit, limit).astype("float16"),
    )


def _with_embedding(model: keras.Model) -> keras.Model:
    """The model with a second output, [n, width]: the input of its last layer that has weights, averaged over space where it is
    a map; the model's own output where the model is one opaque layer."""
    import keras

    last = next((layer for layer in reversed(model.layers) if layer.weights), None)
    hidden = getattr(last, "input", None)
    image, answer = model.inputs[0], model.outputs[0]
    if not isinstance(hidden, keras.KerasTensor) or hidden is image:
        hidden = answer
    if len(hidden.shape) > 2:
        hidden = keras.ops.mean(hidden, axis=tuple(range(1, len(hidden.shape) - 1)))
    return keras.Model(image, [answer, hidden])


def probabilities(raw: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of logits [n, classes] divided by `temperature`."""
    scaled = raw / temperature
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


def fit_temperature(raw: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that makes the probabilities most likely on labelled logits (Guo et al., 2017), within .25 to 4.

    1.0 where there are too few images (30) to say.
    """
    from scipy.optimize import minimize_scalar

    if len(labels) < 30:
        return 1.0

    def loss(log_temperature: float) -> float:
        chances = probabilities(raw, float(np.exp(log_temperature)))[np.arange(len(labels)), labels]
        return -float(np.log(np.clip(chances, 1e-12, 1)).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.25), np.log(4.0)), method="bounded")
    return round(float(np.exp(found.x)), 4)


def check_shapes(model: LoadedModel, inputs: np.ndarray, config: MonitorConfig, name: str) -> None:
    """Refuses a model whose input or classes are not those of the monitor file."""
    expected = (config.model.input_size, len(config.classes))
    actual = (model.input_size, model.model.output_shape[-1])
    if actual != expected or inputs.shape[1:] != (model.input_size, model.input_size, 3):
        raise NeedsAttention(
            f"{name} takes {actual[0]} px and knows {actual[1]} classes; the monitor file says model.input_size {expected[0]} and "
            f"{expected[1]} classes {json.dumps(config.classes)}; the day's inputs are {list(inputs.shape[1:])}"
        )
