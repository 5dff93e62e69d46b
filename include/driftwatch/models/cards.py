"""From a trained model to a registered version: temperature, holdout metrics, the card."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models.metrics import measure
from driftwatch.models.predict import answers, fit_temperature, logits, probabilities
from driftwatch.models.registry import LoadedModel, register, to_bytes, version_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    import keras
    import pandas as pd


@dataclass(frozen=True)
class Labelled:
    """Images uint8 [n, S, S, 3] and their class indices [n]."""

    images: np.ndarray
    labels: np.ndarray

    @classmethod
    def of(cls, images: np.ndarray, names: pd.Series, config: MonitorConfig) -> Labelled:
        return cls(images, np.array([config.classes.index(name) for name in names], dtype="int64"))

    def where(self, chosen: np.ndarray | pd.Series) -> Labelled:
        """Those for which the boolean array `chosen` [n] is true."""
        chosen = np.asarray(chosen)
        return Labelled(self.images[chosen], self.labels[chosen])

    def and_then(self, more: Labelled) -> Labelled:
        """These and, after them, `more`."""
        return Labelled(np.concatenate([self.images, more.images]), np.concatenate([self.labels, more.labels]))


def register_trained(
    store: MonitorStore,
    model: keras.Model,
    from_logits: bool,
    validation: Labelled,
    holdout: Labelled,
    about: dict[str, Any],
) -> str:
    """Registers `model` and returns its version. `about`: created_by, parent, data, recipe, seeds, history and the like.

    The card adds classes, input_size, output, the temperature (fitted on `validation`), package versions and the metrics on the
    original set's evaluation part, with intervals.
    """
    size = int(model.input_shape[1])
    loaded = LoadedModel("", model, 1.0, from_logits, size)
    temperature = fit_temperature(logits(loaded, validation.images, store.config.model.batch_size), validation.labels)
    raw = logits(loaded, holdout.images, store.config.model.batch_size)
    scores = probabilities(raw, temperature)
    found = answers(scores, store.config.classes)["prediction"]
    metrics = measure(
        [store.config.classes[label] for label in holdout.labels],
        found,
        store.config.classes,
        store.config.performance.confidence,
    )
    data = to_bytes(model)
    name = version_for(store, data, lambda known: _same(known, about, store.config))
    card = {
        **about,
        "classes": list(store.config.classes),
        "input_size": size,
        "output": "logits" if from_logits else "probabilities",
        "temperature": temperature,
        "parameters": int(model.count_params()),
        "packages": package_versions(),
        "metrics": {"holdout": {**metrics, "n": len(holdout.labels), "mean_score": mean_score(scores)}},
    }
    register(store, name, data, card)
    return name


def _same(known: Mapping[str, Any], about: Mapping[str, Any], config: MonitorConfig) -> bool:
    """Whether a card of the same weights is this one's: of the same classes in their order and, of a first champion, of the same
    original set. Else its numbers and its references are another model's."""
    if list(known.get("classes") or config.classes) != list(config.classes):
        return False
    ours, theirs = about["data"], known.get("data") or {}
    if ours["run_key"] is not None:
        return True
    return theirs.get("run_key") is None and theirs.get("set", ours.get("set")) == ours.get("set")


def mean_score(scores: np.ndarray) -> float | None:
    """How sure the model is of its answers on average, from `scores` [n, classes]; what CBPE is checked by. None without images."""
    return round(float(scores.max(axis=1).mean()), 6) if len(scores) else None


def package_versions() -> dict[str, str]:
    """The versions that training depends on."""
    found = {"python": platform.python_version()}
    for package in ("tensorflow", "tensorflow-cpu", "keras", "numpy", "opencv-python-headless"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # one of tensorflow and tensorflow-cpu is installed
            continue
    return found
