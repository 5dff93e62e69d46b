"""Running a registered model on a day's images."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from driftwatch.artifacts.store import DayStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.images.inputs import DayInputs
from driftwatch.models.as_trained import as_trained
from driftwatch.models.runtime import prepare

if TYPE_CHECKING:
    import keras
    import pyarrow as pa

    from driftwatch.images.shards import Shard
    from driftwatch.models.registry import LoadedModel

# Rounding hides the last bits, in which machines of different vector width may differ.
SCORE_DECIMALS = 6


def predict_day(day: DayStore, version: str) -> dict[str, Any]:
    """The answers of model `version` on the day's inputs: writes embeddings.npy and predictions.parquet in the order of
    features.parquet.

    Columns: image_id, prediction (class), score.<class> (calibrated probabilities), model_version. Embeddings are float16
    [n, width] from the same pass. The same inputs give the same bytes. Returns counts: images, model_version, predictions
    (class: n).
    """
    day = day.with_config(as_trained(day.monitor, version))
    table, embeddings = _answered(day, version)
    return _write_day(day, version, len(table), iter([(table, embeddings)]))


def predict_shard(day: DayStore, version: str, shard: Shard) -> dict[str, Any]:
    """As `predict_day` for one shard of the day; `merge_predictions` makes the day of them. Returns its counts."""
    from driftwatch.storage.tables import writing_table

    day = day.with_config(as_trained(day.monitor, version))
    table, embeddings = _answered(day, version, shard)
    day.storage.write_array(day.keys.shard(shard.number, "embeddings.npy"), embeddings)
    # By its schema: in a shard without an accepted image, a frame would not know the types of its columns.
    with writing_table(
        day.storage, day.keys.shard(shard.number, "predictions.parquet"), _schema(day.config)
    ) as predictions:
        predictions.add(table)
    return _counts(day.config, version, Counter(table["prediction"].to_pylist()))


def merge_predictions(day: DayStore, version: str, shards: int) -> dict[str, Any]:
    """Makes predictions.parquet and embeddings.npy of the shards' and removes those; repeated after that, it only counts again.

    Returns counts as `predict_day`.
    """
    day = day.with_config(as_trained(day.monitor, version))
    keys = [(day.keys.shard(n, "predictions.parquet"), day.keys.shard(n, "embeddings.npy")) for n in range(shards)]
    flat, there = [key for pair in keys for key in pair], {item.key for item in day.storage.list(day.keys.shards)}
    images = len(DayInputs(day.storage, day.keys))
    if there.issuperset(flat):
        parts = ((day.storage.read_arrow(table), day.storage.read_array(embeddings)) for table, embeddings in keys)
        counts = _write_day(day, version, images, parts)
    else:  # they are removed once all is written
        found = day.storage.read_arrow(day.keys.predictions, ["prediction"])["prediction"]
        counts = _counts(day.config, version, Counter(found.to_pylist()))
        _refuse_incomplete(day, len(found), images)
    for key in flat:
        day.storage.delete(key)
    return counts


def _refuse_incomplete(day: DayStore, answered: int, images: int) -> None:
    if answered != images:
        raise NeedsAttention(
            f"{day.storage.url(day.keys.predictions)}: the shards answered {answered} of {images} images: clear predict_shards"
        )


def _answered(
    day: DayStore,
    version: str,
    shard: Shard | None = None,
) -> tuple[pa.Table, np.ndarray]:
    """Predictions and embeddings of the day or of one shard.

    A batch never goes beyond a block, and its size is the same for the whole day, so that an image is answered in the same
    company however the day was cut.
    """
    import pyarrow as pa

    from driftwatch.models.registry import load_model

    prepare()
    stored = DayInputs(day.storage, day.keys)
    ids = day.storage.read_arrow(day.keys.features, ["image_id"])["image_id"]
    if len(ids) != len(stored):
        raise NeedsAttention(
            f"{day.storage.url(day.keys.inputs)} has {len(stored)} images, features.parquet {len(ids)}: clear ingest_images for {day.date}"
        )
    numbers = shard.blocks if shard else range(len(stored.rows))
    first = sum(stored.rows[: numbers.start])
    model = load_model(day.monitor, version)
    check_shapes(model, stored.input_size, day.config, day.storage.url(day.monitor.keys.model(version)))
    batch_size = min(day.config.model.batch_size, max(1, len(stored)))
    raw, embeddings = logits_and_embeddings(model, stored.blocks(numbers), batch_size)
    table = answers(probabilities(raw, model.temperature), day.config.classes)
    table.insert(0, "image_id", ids.slice(first, len(table)).to_numpy(zero_copy_only=False))
    table["model_version"] = version
    return pa.Table.from_pandas(table, schema=_schema(day.config), preserve_index=False), embeddings


def _write_day(
    day: DayStore,
    version: str,
    images: int,
    parts: Iterator[tuple[pa.Table, np.ndarray]],
) -> dict[str, Any]:
    """Writes the day's artifacts from parts in order, of which one at a time is in memory."""
    from driftwatch.storage.tables import writing_table

    counts: Counter[str] = Counter()
    with (
        day.storage.writing(day.keys.embeddings) as file,
        writing_table(day.storage, day.keys.predictions, _schema(day.config)) as predictions,
    ):
        for number, (table, embeddings) in enumerate(parts):
            if number == 0:
                shape = (images, *embeddings.shape[1:])
                header = {"descr": embeddings.dtype.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(embeddings.tobytes())
            predictions.add(table)
            counts.update(table["prediction"].to_pylist())
    _refuse_incomplete(day, predictions.rows, images)
    return _counts(day.config, version, counts)


def _counts(config: MonitorConfig, version: str, counts: Counter[str]) -> dict[str, Any]:
    return {
        "images": counts.total(),
        "model_version": version,
        "predictions": {name: counts[name] for name in config.classes},
    }


def _schema(config: MonitorConfig) -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    scores = [(f"score.{name}", number) for name in config.classes]
    return pa.schema([("image_id", text), ("prediction", text), *scores, ("model_version", text)])


def answers(scores: np.ndarray, classes: tuple[str, ...]) -> Any:
    """A frame of prediction and score.<class> from `scores` [n, classes]; the first class wins a tie."""
    import pandas as pd

    rounded = np.round(scores, SCORE_DECIMALS)
    table = pd.DataFrame(rounded, columns=[f"score.{name}" for name in classes], dtype="float64")
    table.insert(0, "prediction", np.array(classes, dtype=object)[rounded.argmax(axis=1)])
    return table


def logits(model: LoadedModel, inputs: np.ndarray, batch_size: int) -> np.ndarray:
    """Logits [n, classes], float64, of uint8 images [n, S, S, 3]; the logarithm for a model that answers in probabilities."""
    return logits_and_embeddings(model, inputs, min(batch_size, max(1, len(inputs))))[0]


def logits_and_embeddings(
    model: LoadedModel, inputs: np.ndarray | Iterable[np.ndarray], batch_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Logits as `logits` gives them, and what the model's last hidden layer says, float16 [n, width], in one pass.

    `inputs`: one array, or the blocks of a larger one; no batch goes beyond a block. Each block's last batch is filled up, so
    that one compiled function of one shape runs them all.
    """
    import tensorflow as tf

    both = _with_embedding(model.model)
    run = tf.function(lambda batch: both(tf.cast(batch, tf.float32), training=False))
    answer, hidden = both.outputs
    parts = [(np.zeros((0, answer.shape[-1]), "float32"), np.zeros((0, hidden.shape[-1]), "float16"))]
    limit = np.finfo("float16").max
    for block in [inputs] if isinstance(inputs, np.ndarray) else inputs:
        for start in range(0, len(block), batch_size):
            batch = block[start : start + batch_size]
            filled = np.concatenate([batch, np.zeros((batch_size - len(batch), *batch.shape[1:]), np.uint8)])
            raw, embeddings = (output.numpy()[: len(batch)] for output in run(tf.constant(filled)))
            parts.append((raw, np.clip(embeddings, -limit, limit).astype("float16")))
    raw, embeddings = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    raw = raw.astype("float64")
    return raw if model.from_logits else np.log(np.clip(raw, 1e-12, 1.0)), embeddings


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
    from scipy.special import softmax

    return softmax(raw / temperature, axis=1)


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


def check_shapes(model: LoadedModel, input_size: int, config: MonitorConfig, name: str) -> None:
    """Refuses a model whose input or classes are not those of the monitor file."""
    expected = (config.model.input_size, len(config.classes))
    actual = (model.input_size, model.model.output_shape[-1])
    if actual != expected or input_size != model.input_size:
        raise NeedsAttention(
            f"{name} takes {actual[0]} px and knows {actual[1]} classes; the monitor file says model.input_size {expected[0]} and "
            f"{expected[1]} classes {json.dumps(config.classes)}; the day's inputs are {input_size} px"
        )
