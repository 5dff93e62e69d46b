"""What a Keras model with each kind of head is trained towards: its targets, its loss, and its accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np

from driftwatch.models.predictors.heads import ONE_NUMBER, Head
from driftwatch.models.training.base import Labelled, Recipe, Start, TrainingSet

_EACH = (*ONE_NUMBER, "sigmoids")  # the numbers do not depend on each other


@dataclass(frozen=True)
class Aim:
    """What the answers of `head` shall be for the labels of `data`."""

    head: Head
    data: TrainingSet

    @classmethod
    def of(cls, data: TrainingSet, start: Start | None) -> Aim:
        """A start keeps its head; a new network gives logits."""
        return cls(start.head if start else Head("logits"), data)

    def targets(self, labelled: Labelled) -> np.ndarray:
        """float32 [n, columns]."""
        if self.head.output not in ONE_NUMBER:
            return np.eye(self.data.classes, dtype="float32")[labelled.labels]
        name = self.head.positive_class
        positive = 1 if name is None else self.data.class_names.index(name)
        return (labelled.labels == positive).astype("float32")[:, None]

    def loss(self, recipe: Recipe) -> keras.losses.Loss:
        smoothing, logits = recipe.label_smoothing, self.head.output in ("logits", "logit")
        if self.head.output in _EACH:
            return keras.losses.BinaryCrossentropy(from_logits=logits, label_smoothing=smoothing)
        return keras.losses.CategoricalCrossentropy(from_logits=logits, label_smoothing=smoothing)

    def accuracy(self) -> keras.metrics.Metric:
        if self.head.output not in ONE_NUMBER:
            return keras.metrics.CategoricalAccuracy(name="accuracy")
        return keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0 if self.head.output == "logit" else 0.5)
