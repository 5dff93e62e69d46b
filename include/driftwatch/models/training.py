"""Training: AdamW, label smoothing, warm-up and cosine, light augmentation; repeatable, and able to go on after a kill.

Everything random in an epoch follows from (seed, epoch), and the checkpoint of each epoch holds the optimizer too: a run that was
killed and started again ends in the same weights as one that was not.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from pydantic import Field

from driftwatch.config.model import AugmentationConfig, RecipeConfig
from driftwatch.models import architecture
from driftwatch.models.runtime import prepare

if TYPE_CHECKING:
    from driftwatch.models.checkpoints import Checkpoints
    from driftwatch.models.registry import LoadedModel

logger = logging.getLogger(__name__)
OnEpoch = Callable[[dict[str, Any]], None]
# Validation on fewer images says too little to stop by.
LEAST_VALIDATION = 30
AUGMENTATION = AugmentationConfig()
_TIMED_STEPS = 5


class Recipe(RecipeConfig):
    """The monitor file's recipe, with the seed and the number of images in an epoch, which is that of the set where it is none."""

    seed: int = Field(0, ge=0)
    epoch_size: int | None = None

    @property
    def small_epochs(self) -> int:
        return min(round(self.epochs * self.small_share), self.epochs - 1)


def fit(
    start: LoadedModel | None,
    images: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
    recipe: Recipe,
    weights: np.ndarray | None = None,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    checkpoints: Checkpoints | None = None,
    on_epoch: OnEpoch | None = None,
) -> tuple[keras.Model, list[dict[str, Any]]]:
    """Trains `start`, or a new small ResNet, on uint8 `images` [n, S, S, 3] with class indices `labels` [n].

    `weights` [n] says how often each image is drawn, in proportion; all alike by default. `validation` is images and labels
    that no weight is learnt from: by their loss training stops early (`recipe.patience`), and then the best epoch's weights are
    kept, else the last one's. With `checkpoints` a run of the same recipe on the same data goes on where the last one ended.
    Returns the model and one row for each epoch: epoch, loss, accuracy, val_loss, val_accuracy, seconds.
    """
    prepare(recipe.seed)
    size = images.shape[1]
    if size <= recipe.small_size:
        recipe = recipe.model_copy(update={"small_share": 0.0})
    from_logits = start is None or start.from_logits
    history: list[dict[str, Any]] = []
    best: list[Any] | None = None
    task = {"recipe": recipe.model_dump(), "data": _digest(images, labels, weights)}
    if checkpoints and (saved := checkpoints.restore(task)):
        model, history, best = saved
        logger.info("going on after epoch %d of %d", len(history), recipe.epochs)
    else:
        first_size = recipe.small_size if recipe.small_epochs else size
        model = start.model if start else architecture.build(first_size, n_classes, recipe.seed, recipe.width)
        _compile(model, recipe, len(images), from_logits)
    while len(history) < recipe.epochs and not stopped_early(history, recipe, validation):
        epoch = len(history)
        if epoch and epoch == recipe.small_epochs:
            model = _at_size(model, size, n_classes, recipe)
            _compile(model, recipe, len(images), from_logits)
        began = time.perf_counter()
        _seed_layers(model, recipe.seed, epoch)
        batches = _batches(images, labels, weights, n_classes, recipe, epoch, model.input_shape[1])
        result = model.fit(batches, epochs=1, verbose=0, validation_data=_scored(model, validation, n_classes))
        row = {name: round(float(values[0]), 5) for name, values in result.history.items()}
        history.append({"epoch": epoch + 1, **row, "seconds": round(time.perf_counter() - began, 2)})
        logger.info("epoch %d of %d: %s", epoch + 1, recipe.epochs, ", ".join(f"{k} {v:.3f}" for k, v in row.items()))
        if (best_epoch := _best_epoch(history, recipe)) == epoch + 1:
            best = model.get_weights()
        if checkpoints:
            checkpoints.save(task, model, history, best_epoch)
        if on_epoch:
            on_epoch(history[-1])
    if stopped_early(history, recipe, validation) and best is not None:
        logger.info("stopped after epoch %d; epoch %d is kept", len(history), _best_epoch(history, recipe))
        model.set_weights(best)
    return model, history


def seconds_for(start: LoadedModel | None, images: np.ndarray, n_classes: int, recipe: Recipe) -> float:
    """How long `fit` would take in this process, from a few steps on `images` [n, S, S, 3]; validation and loading are left out."""
    prepare(recipe.seed)
    size = images.shape[1]
    model = start.model if start else architecture.build(size, n_classes, recipe.seed, recipe.width)
    _compile(model, recipe.model_copy(update={"small_share": 0.0}), len(images), start is None or start.from_logits)
    images = images[np.arange(recipe.batch_size) % len(images)].astype("float32")
    targets = np.eye(n_classes, dtype="float32")[np.arange(recipe.batch_size) % n_classes]
    model.train_on_batch(images, targets)  # compiles
    began = time.perf_counter()
    for _ in range(_TIMED_STEPS):
        model.train_on_batch(images, targets)
    step = (time.perf_counter() - began) / _TIMED_STEPS
    small = recipe.small_epochs if size > recipe.small_size else 0
    epochs = recipe.epochs - small + small * (recipe.small_size / size) ** 2
    return step * epochs * math.ceil((recipe.epoch_size or len(images)) / recipe.batch_size)


def stopped_early(
    history: list[dict[str, Any]], recipe: Recipe, validation: tuple[np.ndarray, np.ndarray] | None
) -> bool:
    """Whether the last `patience` epochs at the full size brought no lower validation loss than one before them."""
    if not recipe.patience or validation is None or len(validation[1]) < LEAST_VALIDATION:
        return False
    return len(history) > recipe.small_epochs and len(history) - _best_epoch(history, recipe) >= recipe.patience


def _best_epoch(history: list[dict[str, Any]], recipe: Recipe) -> int:
    """The epoch of the lowest validation loss at the full size; the last one before there is such a loss."""
    full = [row for row in history[recipe.small_epochs :] if "val_loss" in row]
    return int(min(full, key=lambda row: row["val_loss"])["epoch"]) if full else len(history)


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
        metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
    )
    # With every variable made beforehand TensorFlow traces the step once; else it makes them in a first trace and needs a second.
    model.optimizer.build(model.trainable_variables)


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
        seed_of_step = tf.stack([tf.cast(step, tf.int32), recipe.seed * 100_003 + epoch])
        return augment(x, size, seed_of_step, recipe.augmentation), y

    return tf.data.Dataset.range(steps).map(augmented).prefetch(2)


def draw(weights: np.ndarray | int, n: int, seed: Any) -> np.ndarray:
    """`n` indices in random order, each as often as its weight says, rounded up or down (systematic sampling)."""
    if isinstance(weights, int):
        weights = np.ones(weights)
    rng = np.random.default_rng(seed)
    edges = np.cumsum(weights / weights.sum())
    positions = (rng.random() + np.arange(n)) / n
    return rng.permutation(np.minimum(np.searchsorted(edges, positions, side="right"), len(edges) - 1))


def augment(images: tf.Tensor, size: int, seed: tf.Tensor, settings: AugmentationConfig = AUGMENTATION) -> tf.Tensor:
    """uint8 [n, h, w, 3] to float 0..255 [n, size, size, 3]: a random box and flip, contrast, brightness, tint."""
    n = tf.shape(images)[0]

    def uniform(shape: list[Any], low: float, high: float, salt: int) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, tf.random.experimental.stateless_fold_in(seed, salt), low, high)

    def within(shape: list[Any], limit: float, salt: int) -> tf.Tensor:
        return uniform(shape, -limit, limit, salt)

    side, aspect = uniform([n], settings.smallest_box, 1.0, 0), tf.exp(within([n], settings.stretch, 1) / 2)
    height, width = tf.minimum(side * aspect, 1.0), tf.minimum(side / aspect, 1.0)
    top, left = uniform([n], 0.0, 1.0, 2) * (1 - height), uniform([n], 0.0, 1.0, 3) * (1 - width)
    flip = uniform([n], 0.0, 1.0, 4) < (0.5 if settings.flip else 0.0)  # a box whose x runs backwards is a mirrored one
    x1, x2 = tf.where(flip, left + width, left), tf.where(flip, left, left + width)
    boxes = tf.stack([top, x1, top + height, x2], axis=1)
    x = tf.image.crop_and_resize(images, boxes, tf.range(n), [size, size])
    mean = tf.reduce_mean(x, axis=[1, 2, 3], keepdims=True)
    x = (x - mean) * (1 + within([n, 1, 1, 1], settings.contrast, 5)) + mean
    x += 127.5 * (within([n, 1, 1, 1], settings.brightness, 6) + within([n, 1, 1, 3], settings.tint, 7))
    return tf.clip_by_value(x, 0.0, 255.0)


def _scored(
    model: keras.Model, validation: tuple[np.ndarray, np.ndarray] | None, n_classes: int
) -> tf.data.Dataset | None:
    if validation is None or not len(validation[1]):
        return None
    images, labels = validation
    size = model.input_shape[1]
    scaled = tf.image.resize(images, [size, size]) if size != images.shape[1] else images
    return tf.data.Dataset.from_tensor_slices((scaled, np.eye(n_classes, dtype="float32")[labels])).batch(256)


def _digest(images: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> str:
    digest = hashlib.sha256(images.tobytes())
    for array in (labels, np.zeros(0) if weights is None else weights):
        digest.update(array.tobytes())
    return digest.hexdigest()
