"""Makes a registered version from a trained model: its calibration temperature, its metrics on the holdout, and its card."""

from __future__ import annotations

import pkgutil
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np

from driftwatch.artifacts.model_input import ModelInput
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
from driftwatch.models.predictors.base import KERAS, ONNX, Asked, Predictions, Predictor
from driftwatch.models.predictors.calibration import fit_temperature, log_of, probabilities
from driftwatch.models.predictors.from_images import ImagePredictor, ModelFacts
from driftwatch.models.predictors.heads import Head
from driftwatch.models.registry import digest_of, register, version_for
from driftwatch.models.training.base import Labelled, Trained

# How the file of a model that is not registered yet is opened, by its kind.
_OPENED = {KERAS: "driftwatch.models.predictors.keras:opened", ONNX: "driftwatch.models.predictors.onnx:opened"}
_PACKAGES = {KERAS: ("tensorflow", "tensorflow-cpu", "keras"), ONNX: ("onnxruntime",)}

# Makes the predictor of a model that is not registered yet.
Asking = Callable[[ModelFacts], Predictor]


class Unlearnt(NamedTuple):
    """Images that a model was not trained on. `validation` fits its temperature. `holdout`, the evaluation split of the original set, judges it."""

    validation: Labelled
    holdout: Labelled


# `created_by` of a version that the team made.
IMPORTED_BY = "driftwatch champion import"


@dataclass(frozen=True)
class Origin:
    """Where a version comes from: the fields of ModelCard of the same names."""

    created_by: str
    parent: str | None
    data: ModelData
    recipe: CardRecipe | ImportedRecipe
    seeds: dict[str, int]


def register_trained(
    store: MonitorStore, trained: Trained, unlearnt: Unlearnt, origin: Origin, asking: Asking | None = None
) -> str:
    """Registers a model and returns its version: what a trainer made, what a team brought, or what stands for production's own.

    The card has the fields of `origin`. It also has the kind, history, classes, input, output, temperature, package versions, and the
    metrics on the holdout with their intervals. `asking` makes the predictor of a model that is not registered yet; None: the file of
    that kind is opened. Only the answers of a file are calibrated: what production answered stays as it is.
    """
    about = trained.input or ModelInput.of(store.config.model.input)
    facts = ModelFacts("", store.config.classes, about, trained.head)
    name = version_for(store, trained.model, lambda known: _same(known, origin.data, facts))
    facts = replace(facts, version=name)
    model = asking(facts) if asking else open_file(trained.model, trained.kind, facts, name)
    temperature, holdout = _measured(model, unlearnt, store.config, calibrated=trained.kind in _OPENED)
    card = ModelCard(
        **vars(origin),
        version=name,
        kind=trained.kind,
        sha256=digest_of(trained.model),
        history=tuple(_untimed(row) for row in trained.history),
        classes=store.config.classes,
        input_size=about.height,
        input=about,
        output=trained.head.known,
        output_name=trained.head.name,
        positive_class=trained.head.positive_class,
        temperature=temperature,
        parameters=getattr(model, "parameters", 0),
        packages=package_versions(trained.kind),
        metrics=CardMetrics(holdout=holdout),
    )
    register(store, name, trained.model, card)
    return name


def open_file(data: bytes, kind: str, facts: ModelFacts, name: str) -> ImagePredictor:
    """The predictor of a file that is not registered yet. `name` is for the errors."""
    found: ImagePredictor = pkgutil.resolve_name(_OPENED[kind])(data, facts, name)
    return found


def _measured(model: Predictor, unlearnt: Unlearnt, config: MonitorConfig, calibrated: bool) -> tuple[float, Holdout]:
    """The temperature, and the metrics on the holdout. `model` answers with a temperature of 1."""
    validation, holdout = unlearnt
    temperature = 1.0
    if calibrated:
        temperature = fit_temperature(log_of(_scores(model, validation, config)), validation.labels)
    scores = probabilities(log_of(_scores(model, holdout, config)), temperature)
    found = Predictions(scores, None, [""] * len(scores)).table(config.classes)["prediction"]
    truth = [config.classes[label] for label in holdout.labels]
    metrics = measure(truth, found, config.classes, config.performance.confidence)
    whole = Holdout(**vars(metrics), n=len(holdout.labels), mean_score=mean_score(scores))
    return temperature, whole


def _scores(model: Predictor, images: Labelled, config: MonitorConfig) -> np.ndarray:
    ids = None if images.image_ids is None else images.image_ids.tolist()
    batch_size = min(config.model.batch_size, max(1, len(images.labels)))
    return model.predict(Asked([images.images], image_ids=ids), batch_size).scores


def _untimed(row: TimedEpochRow) -> EpochRow:
    return EpochRow(**row.model_dump(exclude={"seconds"}, exclude_unset=True))


def _same(known: ModelCard, ours: ModelData, facts: ModelFacts) -> bool:
    """Whether a card with the same weights is the card of this model. It must have the same classes in the same order, the same input
    and output; a first champion must also have the same original set. Otherwise its numbers and its references belong to another model."""
    if known.classes != facts.class_names or known.model_input.otherwise(facts.input) or Head.of(known) != facts.head:
        return False
    if ours.run_key is not None:
        return True
    return known.data.run_key is None and (known.data.set or ours.set) == ours.set


def mean_score(scores: np.ndarray) -> float | None:
    """How sure the model is of its answers on average, from `scores` [n, classes]. None without images. CBPE, the estimate of the accuracy
    from the scores alone, is checked against it."""
    return round(float(scores.max(axis=1).mean()), 6) if len(scores) else None


def package_versions(kind: str = KERAS) -> dict[str, str]:
    """The versions that training depends on, and the answers of a model of this kind."""
    found = {"python": platform.python_version()}
    for package in (*_PACKAGES.get(kind, ()), "numpy", "opencv-python-headless"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # one of tensorflow and tensorflow-cpu is installed
            continue
    return found
