"""What an epoch shows the network. Images are drawn by their weights and varied at random (augmentation). Everything random follows
from (seed, epoch, step)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config.recipe import AugmentationConfig
from driftwatch.models.predictors.tensors import tensor_of
from driftwatch.models.training.base import Labelled, Recipe, TrainingSet

AUGMENTATION = AugmentationConfig()


def batches(
    data: TrainingSet, recipe: Recipe, epochs: range, size: tuple[int, int], targets: np.ndarray
) -> tf.data.Dataset:
    """The batches of `epochs`, one epoch after the other: images of this height and width, as the network is given them, and their
    `targets`, which are those of all images of `data.train`."""
    images, about = data.train.images, data.given
    steps, drawn = recipe.steps(len(images)), recipe.epoch_size or len(images)

    @lru_cache(maxsize=2)
    def order(epoch: int) -> np.ndarray:
        return draw(len(images) if data.weights is None else data.weights, drawn, [recipe.seed, epoch])

    def batch(number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        epoch, step = divmod(int(number), steps)
        chosen = order(epoch)[step * recipe.batch_size : (step + 1) * recipe.batch_size]
        return images[chosen], targets[chosen]

    def augmented(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x, y = tf.numpy_function(batch, [number], (tf.uint8, tf.float32), stateful=False)
        x.set_shape([None, *images.shape[1:]])
        y.set_shape([None, *targets.shape[1:]])
        seed_of_step = tf.cast(tf.stack([number % steps, recipe.seed * 100_003 + number // steps]), tf.int32)
        return _given(augment(x, size, seed_of_step, recipe.augmentation), about), y

    return tf.data.Dataset.range(epochs.start * steps, epochs.stop * steps).map(augmented).prefetch(2)


def unvaried(data: Labelled, about: ModelInput, size: tuple[int, int], targets: np.ndarray) -> tf.data.Dataset:
    """Every image of `data` once, in its order, resized to this height and width, as the network is given it, and its target."""
    scaled = tf.image.resize(data.images, size) if size != data.images.shape[1:3] else data.images
    return tf.data.Dataset.from_tensor_slices((scaled, targets)).batch(256).map(lambda x, y: (_given(x, about), y))


def _given(images: tf.Tensor, about: ModelInput) -> tf.Tensor:
    """Pictures 0..255 as the network is given them: of whole numbers, as the stored ones are, where these are scaled."""
    if about.plain:
        return images
    x = tf.numpy_function(lambda x: tensor_of(np.rint(x).astype(np.uint8), about), [images], tf.float32, stateful=False)
    height, width = images.shape[1:3]
    x.set_shape([None, *about.model_copy(update={"height": height, "width": width}).shape])
    return x


def draw(weights: np.ndarray | int, n: int, seed: Any) -> np.ndarray:
    """`n` indices in random order. Each comes as often as its weight says, rounded up or down (systematic sampling)."""
    if isinstance(weights, int):
        weights = np.ones(weights)
    rng = np.random.default_rng(seed)
    edges = np.cumsum(weights / weights.sum())
    positions = (rng.random() + np.arange(n)) / n
    return rng.permutation(np.minimum(np.searchsorted(edges, positions, side="right"), len(edges) - 1))


def augment(
    images: tf.Tensor, size: tuple[int, int], seed: tf.Tensor, settings: AugmentationConfig = AUGMENTATION
) -> tf.Tensor:
    """uint8 [n, h, w, 3] to float 0..255 [n, *size, 3]: a random box and flip, contrast, brightness, tint."""
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
    x = tf.image.crop_and_resize(images, boxes, tf.range(n), size)
    mean = tf.reduce_mean(x, axis=[1, 2, 3], keepdims=True)
    x = (x - mean) * (1 + within([n, 1, 1, 1], settings.contrast, 5)) + mean
    x += 127.5 * (within([n, 1, 1, 1], settings.brightness, 6) + within([n, 1, 1, 3], settings.tint, 7))
    return tf.clip_by_value(x, 0.0, 255.0)
