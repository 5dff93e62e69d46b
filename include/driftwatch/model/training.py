"""Training: AdamW, label smoothing, warm-up and cosine, light augmentation; repeatable, and able to go on after a kill.

Everything random in an epoch follows from (seed, epoch), and the checkpoint of each epoch holds the optimizer too: a run that was
killed and started again ends in the same weights as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from driftwatch.model import architecture
from driftwatch.model.runtime import prepare

if TYPE_CHECKING:
    from driftwatch.model.registry import LoadedModel

logger = logging.getLogger(__name__)
OnEpoch = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    `epochs` passes of `epoch_size` images each (the number of images by default), the first `small_epochs` of them on images
    scaled down to `small_size` pixels (where they are larger than that), which saves time by the square. `width` is that of driftwatch.model.architecture.
    """

    epochs: int
    learning_rate: float = 2e-3
    batch_size: int = 32
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    warmup_share: float = 0.1
    width: int = 24
    small_epochs: int = 0
    small_size: int = 64
    seed: int = 0
    epoch_size: int | None = None


def fit(
    start: LoadedModel | None,
    images: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    recipe: Recipe,
    weights: np.ndarray | None = None,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    work_folder: Path | None = None,
    on_epoch: OnEpoch | None = None,
) -> tuple[keras.Model, list[dict[str, Any]]]:
    """Trains `start`, or a new small ResNet, on uint8 `images` [n, S, S, 3] with class indices `labels` [n].

    `weights` [n] says how often each image is drawn, in proportion; all alike by default. `validation` is images and labels
    that are only reported on. A checkpoint of each epoch goes to `work_folder`; a run of the same recipe on the same data goes on
    from one that it finds there. Returns the model and one row for each epoch: epoch, loss, accuracy, val_loss,
    val_accuracy, seconds.
    """
    prepare(recipe.seed)
    size = images.shape[1]
    if size <= recipe.small_size:
        recipe = replace(recipe, small_epochs=0)
    from_logits = start is None or start.from_logits
    history: list[dict[str, Any]] = []
    task = {"recipe": asdict(recipe), "data": _digest(images, labels, weights)}
    if work_folder and (saved := _restore(work_folder, task)):
        model, history = saved
        logger.info("going on after epoch %d of %d, from %s", len(history), recipe.epochs, work_folder)
    else:
        first_size = recipe.small_size if recipe.small_epochs else size
        model = start.model if start else architecture.build(first_size, n_classes, recipe.seed, recipe.width)
        _compile(model, recipe, len(images), from_logits)
    for epoch in range(len(history), recipe.epochs):
        if epoch and epoch == recipe.small_epochs:
            model = _at_size(model, size, n_classes, recipe)
            _compile(model, recipe, len(images), from_logits)
        began = time.perf_counter()
        _seed_layers(model, recipe.seed, epoch)
        batches = _batches(images, labels, weights, n_classes, recipe, epoch, model.input_shape[1])
        result = model.fit(batches, epochs=1, verbose=0, validation_data=_scored(model, validation, n_classes, recipe))
        row = {name: round(float(values[0]), 5) for name, values in result.history.items()}
        history.append({"epoch": epoch + 1, **row, "seconds": round(time.perf_counter() - began, 2)})
        logger.info("epoch %d of %d: %s", epoch + 1, recipe.epochs, ", ".join(f"{k} {v:.3f}" for k, v in row.items()))
        if work_folder:
            _save(work_folder, task, model, history)
        if on_epoch:
            on_epoch(history[-1])
    return model, history


def _compile(model: keras.Model, recipe: Recipe, n: int, from_logits: bool) -> None:
    """A new optimizer with the schedule of the epochs that are left at this input size."""
    at_small = recipe.small_epochs and model.input_shape[1] == recipe.small_size
    epochs = recipe.small_epochs if at_small else recipe.epochs - recipe.small_epochs
    peak = recipe.learning_rate if at_small or not recipe.small_epochs else recipe.learning_rate / 2
    steps = epochs * math.ceil((recipe.epoch_size or n) / recipe.batch_size)
    warmup = int(steps * recipe.warmup_share)
    schedule = keras.optimizers.schedules.CosineDecay(
        peak / 100, max(1, steps - warmup), alpha=0.0, warmup_target=peak, warmup_steps=warmup
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay),
        loss=keras.losses.CategoricalCrossentropy(from_logits=from_logits, label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
    )


def _seed_layers(model: keras.Model, seed: int, epoch: int) -> None:
    """Dropout's random state is no part of a saved .keras file, so each epoch starts it anew."""
    for variable in model.variables:
        if variable.path.endswith("seed_generator_state"):
            variable.assign([seed, epoch])


def _at_size(model: keras.Model, size: int, n_classes: int, recipe: Recipe) -> keras.Model:
    """The same weights behind an input of another size: pooling makes the network indifferent to it."""
    larger = architecture.build(size, n_classes, recipe.seed, recipe.width)
    larger.set_weights(model.get_weights())
    return larger


def _batches(
    images: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None,
    n_classes: int,
    recipe: Recipe,
    epoch: int,
    size: int,
) -> tf.data.Dataset:
    order = draw(len(images) if weights is None else weights, recipe.epoch_size or len(images), [recipe.seed, epoch])
    steps = math.ceil(len(order) / recipe.batch_size)
    targets = np.eye(n_classes, dtype="float32")[labels]

    def batch(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chosen = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
        return images[chosen], targets[chosen]

    def augmented(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = tf.numpy_function(batch, [step], (tf.uint8, tf.float32), stateful=False)
        x.set_shape([None, *images.shape[1:]])
        y.set_shape([None, n_classes])
        return augment(x, size, tf.stack([tf.cast(step, tf.int32), recipe.seed * 100_003 + epoch])), y

    return tf.data.Dataset.range(steps).map(augmented).prefetch(2)


def draw(weights: np.ndarray | int, n: int, seed: Any) -> np.ndarray:
    """`n` indices in random order, each as often as its weight says, rounded up or down (systematic sampling)."""
    if isinstance(weights, int):
        weights = np.ones(weights)
    rng = np.random.default_rng(seed)
    edges = np.cumsum(weights / weights.sum())
    positions = (rng.random() + np.arange(n)) / n
    return rng.permutation(np.minimum(np.searchsorted(edges, positions, side="right"), len(edges) - 1))


def augment(images: tf.Tensor, size: int, seed: tf.Tensor) -> tf.Tensor:
    """uint8 [n, h, w, 3] to float 0..255 [n, size, size, 3]: a random box and flip, contrast, brightness, tint.

    Box of side .7 to 1 and log aspect within .15; contrast within 25 %, brightness within .25 and tint within .08 of half the
    range, as measured in the recipe's contract.
    """
    n = tf.shape(images)[0]

    def uniform(shape: list[Any], low: float, high: float, salt: int) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, tf.random.experimental.stateless_fold_in(seed, salt), low, high)

    side, aspect = uniform([n], 0.7, 1.0, 0), tf.exp(uniform([n], -0.15, 0.15, 1) / 2)
    height, width = tf.minimum(side * aspect, 1.0), tf.minimum(side / aspect, 1.0)
    top, left = uniform([n], 0.0, 1.0, 2) * (1 - height), uniform([n], 0.0, 1.0, 3) * (1 - width)
    flip = uniform([n], 0.0, 1.0, 4) < 0.5  # a box whose x runs backwards is a mirrored one
    x1, x2 = tf.where(flip, left + width, left), tf.where(flip, left, left + width)
    boxes = tf.stack([top, x1, top + height, x2], axis=1)
    x = tf.image.crop_and_resize(images, boxes, tf.range(n), [size, size])
    mean = tf.reduce_mean(x, axis=[1, 2, 3], keepdims=True)
    x = (x - mean) * uniform([n, 1, 1, 1], 0.75, 1.25, 5) + mean
    x += 127.5 * (uniform([n, 1, 1, 1], -0.25, 0.25, 6) + uniform([n, 1, 1, 3], -0.08, 0.08, 7))
    return tf.clip_by_value(x, 0.0, 255.0)


def _scored(
    model: keras.Model, validation: tuple[np.ndarray, np.ndarray] | None, n_classes: int, recipe: Recipe
) -> tf.data.Dataset | None:
    if validation is None or not len(validation[1]):
        return None
    images, labels = validation
    size = model.input_shape[1]
    scaled = tf.image.resize(images, [size, size]) if size != images.shape[1] else images
    return tf.data.Dataset.from_tensor_slices((scaled, np.eye(n_classes, dtype="float32")[labels])).batch(256)


def _save(folder: Path, task: dict[str, Any], model: keras.Model, history: list[dict[str, Any]]) -> None:
    """Model and optimizer first, under the epoch's own name; then, in one step, the note that points to them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"epoch-{len(history):04d}.keras"
    model.save(path)
    aside = folder / "progress.json.tmp"
    aside.write_text(json.dumps({"task": task, "model": path.name, "history": history}), encoding="utf-8")
    aside.replace(folder / "progress.json")
    for old in folder.glob("epoch-*.keras"):
        if old != path:
            old.unlink()


def _digest(images: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> str:
    digest = hashlib.sha256(images.tobytes())
    for array in (labels, np.zeros(0) if weights is None else weights):
        digest.update(array.tobytes())
    return digest.hexdigest()


def _restore(folder: Path, task: dict[str, Any]) -> tuple[keras.Model, list[dict[str, Any]]] | None:
    """The last finished epoch of the same recipe on the same data, if there is one."""
    note = folder / "progress.json"
    if not note.is_file():
        return None
    progress = json.loads(note.read_text(encoding="utf-8"))
    if progress["task"] != task:
        return None
    return keras.models.load_model(folder / progress["model"], safe_mode=True), progress["history"]
