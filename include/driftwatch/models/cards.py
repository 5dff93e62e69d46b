"""From a trained model to a registered version: temperature, holdout metrics, the card."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models.metrics import measure
from driftwatch.models.predict import answers, fit_temperature, logits, probabilities
from driftwatch.models.registry import LoadedModel, from_bytes, register, version_for
from driftwatch.models.training.base import Labelled, Trained

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unlearnt(NamedTuple):
    """What a model was not trained on: `validation` fits its temperature, `holdout`, the original set's evaluation part, judges it."""

    validation: Labelled
    holdout: Labelled


def register_trained(
    store: MonitorStore,
    trained: Trained,
    unlearnt: Unlearnt,
    about: dict[str, Any],
) -> str:
    """Registers what a trainer made and returns its version. `about`: created_by, parent, data, recipe, seeds and the like.

    The card adds the history, classes, input_size, output, the temperature, package versions and the metrics on the holdout, with
    intervals.
    """
    name = version_for(store, trained.model, lambda known: _same(known, about, store.config))
    model = from_bytes(trained.model, store.storage.url(store.keys.model(name)))
    loaded = LoadedModel(name, model, 1.0, trained.from_logits, int(model.input_shape[1]))
    card = {
        **about,
        "history": [{key: value for key, value in row.items() if key != "seconds"} for row in trained.history],
        "classes": list(store.config.classes),
        "input_size": loaded.input_size,
        "output": "logits" if trained.from_logits else "probabilities",
        "parameters": int(model.count_params()),
        "packages": package_versions(),
        **_measured(loaded, unlearnt, store.config),
    }
    register(store, name, trained.model, card)
    return name


def _measured(model: LoadedModel, unlearnt: Unlearnt, config: MonitorConfig) -> dict[str, Any]:
    """The temperature, and the metrics on the holdout."""
    validation, holdout = unlearnt
    temperature = fit_temperature(logits(model, validation.images, config.model.batch_size), validation.labels)
    scores = probabilities(logits(model, holdout.images, config.model.batch_size), temperature)
    found = answers(scores, config.classes)["prediction"]
    truth = [config.classes[label] for label in holdout.labels]
    metrics = measure(truth, found, config.classes, config.performance.confidence)
    whole = {**metrics, "n": len(holdout.labels), "mean_score": mean_score(scores)}
    return {"temperature": temperature, "metrics": {"holdout": whole}}


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
