"""Makes a registered version from a trained model: its calibration temperature, its metrics on the holdout, and its card."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np

from driftwatch.artifacts.models import (
    CardMetrics,
    CardRecipe,
    EpochRow,
    Holdout,
    ImportedRecipe,
    ModelCard,
    ModelData,
    TimedEpochRow,
)
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models.metrics import measure
from driftwatch.models.predictors.base import Predictions
from driftwatch.models.predictors.calibration import fit_temperature, probabilities
from driftwatch.models.predictors.keras import KerasPredictor, logits
from driftwatch.models.registry import digest_of, from_bytes, register, version_for
from driftwatch.models.training.base import Labelled, Trained


class Unlearnt(NamedTuple):
    """Images that a model was not trained on. `validation` fits its temperature. `holdout`, the evaluation split of the original set, judges it."""

    validation: Labelled
    holdout: Labelled


@dataclass(frozen=True)
class Origin:
    """Where a version comes from: the fields of ModelCard of the same names."""

    created_by: str
    parent: str | None
    data: ModelData
    recipe: CardRecipe | ImportedRecipe
    seeds: dict[str, int]


def register_trained(store: MonitorStore, trained: Trained, unlearnt: Unlearnt, origin: Origin) -> str:
    """Registers what a trainer made and returns its version.

    The card has the fields of `origin`. It also has the history, classes, input_size, output, temperature, package versions, and the
    metrics on the holdout with their intervals.
    """
    name = version_for(store, trained.model, lambda known: _same(known, origin.data, store.config))
    model = from_bytes(trained.model, store.storage.url(store.keys.model(name)))
    loaded = KerasPredictor(name, model, 1.0, trained.from_logits, int(model.input_shape[1]))
    temperature, holdout = _measured(loaded, unlearnt, store.config)
    card = ModelCard(
        **vars(origin),
        version=name,
        sha256=digest_of(trained.model),
        history=tuple(_untimed(row) for row in trained.history),
        classes=store.config.classes,
        input_size=loaded.input_size,
        output="logits" if trained.from_logits else "probabilities",
        temperature=temperature,
        parameters=int(model.count_params()),
        packages=package_versions(),
        metrics=CardMetrics(holdout=holdout),
    )
    register(store, name, trained.model, card)
    return name


def _measured(model: KerasPredictor, unlearnt: Unlearnt, config: MonitorConfig) -> tuple[float, Holdout]:
    """The temperature, and the metrics on the holdout."""
    validation, holdout = unlearnt
    temperature = fit_temperature(logits(model, validation.images, config.model.batch_size), validation.labels)
    scores = probabilities(logits(model, holdout.images, config.model.batch_size), temperature)
    found = Predictions(scores, None, [model.version] * len(scores)).table(config.classes)["prediction"]
    truth = [config.classes[label] for label in holdout.labels]
    metrics = measure(truth, found, config.classes, config.performance.confidence)
    whole = Holdout(**vars(metrics), n=len(holdout.labels), mean_score=mean_score(scores))
    return temperature, whole


def _untimed(row: TimedEpochRow) -> EpochRow:
    return EpochRow(**row.model_dump(exclude={"seconds"}, exclude_unset=True))


def _same(known: ModelCard, ours: ModelData, config: MonitorConfig) -> bool:
    """Whether a card with the same weights is the card of this model. It must have the same classes in the same order; a first champion
    must also have the same original set. Otherwise its numbers and its references belong to another model."""
    if known.classes != config.classes:
        return False
    if ours.run_key is not None:
        return True
    return known.data.run_key is None and (known.data.set or ours.set) == ours.set


def mean_score(scores: np.ndarray) -> float | None:
    """How sure the model is of its answers on average, from `scores` [n, classes]. None without images. CBPE, the estimate of the accuracy
    from the scores alone, is checked against it."""
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
