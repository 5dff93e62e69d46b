"""The team's own model asked before it is registered: whether it is the one that the monitor file describes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import diagnosis
from driftwatch.models.champion import OwnModel, told, training_images
from driftwatch.models.dataset import EVALUATION
from driftwatch.models.diagnosis import Diagnosis
from driftwatch.models.predictors.base import Asked, predictor
from driftwatch.models.predictors.calibration import probabilities
from driftwatch.models.predictors.from_images import ImagePredictor

BATCH = 32


@dataclass(frozen=True)
class Scores:
    """The model's scores before they are calibrated, [n, classes], of stored images uint8 [n, h, w, 3] by this input."""

    model: ImagePredictor

    def __call__(self, images: np.ndarray, about: ModelInput) -> np.ndarray:
        found, _ = self.model.log_scores([images], BATCH, about)
        return probabilities(found, 1.0)


def examine(store: MonitorStore, own: OwnModel) -> tuple[OwnModel, Diagnosis]:
    """The model with its head known, and what the holdout of the training set that counts tells of it."""
    table, whole = training_images(store)
    own = told(own, whole)
    scores = Scores(own.predictor)
    found = diagnosis.diagnose(
        whole.where(table["split"] == EVALUATION),
        store.config.classes,
        own.facts.input,
        lambda images, about: scores(images, about).argmax(axis=1),
    )
    return own, found


def examine_version(store: MonitorStore, version: str) -> Diagnosis:
    """The same of a registered version of any kind, by its answers alone: no other input is tried."""
    table, whole = training_images(store)
    holdout = whole.where(table["split"] == EVALUATION)
    ids = None if holdout.image_ids is None else holdout.image_ids.tolist()
    found = predictor(store, version).predict(Asked([holdout.images], image_ids=ids), BATCH)
    said = found.table(store.config.classes)["prediction"]
    answered = said.notna().to_numpy()
    place = {name: number for number, name in enumerate(store.config.classes)}
    return diagnosis.of_answers(
        holdout.labels[answered], np.array([place[name] for name in said[answered]], int), store.config.classes
    )
