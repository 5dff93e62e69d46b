"""The first champion. It is trained on the original labelled images, or it is the team's own model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import CardRecipe, ImportedRecipe, ModelData
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models import keras_file
from driftwatch.models.cards import IMPORTED_BY, Origin, Unlearnt, open_file, register_trained
from driftwatch.models.conversion import converted
from driftwatch.models.dataset import EVALUATION, ORIGINAL, TRAIN, VALIDATION, summary
from driftwatch.models.model_file import read_model_file
from driftwatch.models.original_set import digest_of, refuse_other_set, set_keys
from driftwatch.models.predictors.from_images import ImagePredictor, ModelFacts
from driftwatch.models.predictors.heads import Head
from driftwatch.models.predictors.keras import KerasPredictor
from driftwatch.models.spread import evenly
from driftwatch.models.training.base import Attempt, Labelled, OnEpoch, Recipe, Trained, TrainingSet, trainer

if TYPE_CHECKING:
    import pandas as pd

# Answers on so many images tell what kind of answers they are.
TOLD_BY = 64

# The settings in which each recipe differs from the monitor file's model.recipe.
RECIPES: dict[str, dict[str, float]] = {
    "monitor": {},
    "fast": {"epochs": 30, "width": 12, "learning_rate": 2e-3},
}


def train_champion(
    store: MonitorStore,
    recipe: str = "monitor",
    epochs: int | None = None,
    on_epoch: OnEpoch | None = None,
) -> str:
    """Trains a model on the training set that was taken in, registers it, and returns its version. It is not promoted yet.

    `recipe`: a key of RECIPES, with other `epochs` if given.
    """
    chosen = recipe_of(store.config, recipe, epochs)
    table, whole = training_images(store)
    train, validation, holdout = (whole.where(table["split"] == split) for split in (TRAIN, VALIDATION, EVALUATION))
    about = ModelInput.of(store.config.model.input)
    data = TrainingSet(train, len(store.config.classes), validation, input=about, class_names=store.config.classes)
    trained = trainer().train(data, chosen, attempt=Attempt(on_epoch=on_epoch))
    noted = CardRecipe(**dict(chosen.noted), name=recipe)
    origin = Origin("driftwatch champion train", None, _data_of(table), noted, {"training": chosen.seed})
    return register_trained(store, trained, Unlearnt(validation, holdout), origin)


def recipe_of(config: MonitorConfig, recipe: str = "monitor", epochs: int | None = None) -> Recipe:
    """The recipe of this name with the monitor file's seed."""
    changes = {**RECIPES[recipe], **({"epochs": epochs} if epochs else {})}
    return Recipe.model_validate({**config.model.recipe.model_dump(), **changes, "seed": config.retraining.seed})


@dataclass(frozen=True)
class OwnModel:
    """The team's own model, as it will be registered. `facts` says what the monitor file expects of it."""

    path: Path
    file: bytes
    kind: str
    facts: ModelFacts
    predictor: ImagePredictor

    @property
    def trained(self) -> Trained:
        """The model to be registered; its head must be known, see `told`."""
        return Trained(self.file, self.facts.head, kind=self.kind, input=self.facts.input)


def import_champion(store: MonitorStore, model: Path | OwnModel) -> str:
    """Registers the team's own model and returns its version. It is not promoted yet.

    Its holdout metrics are measured on the evaluation part of the training set. If the team trained the model on those images, the
    metrics look better than the model is. Raises NeedsAttention or DamagedModel.
    """
    own = model if isinstance(model, OwnModel) else read_model(model, store.config)
    images, unlearnt, origin = brought(store, own.path.name)
    return register_trained(store, told(own, images).trained, unlearnt, origin)


def told(own: OwnModel, images: Labelled) -> OwnModel:
    """The model with its head known, as its answers on some images tell it. Raises NeedsAttention where they do not tell."""
    some = telling(images)
    raw, _ = own.predictor.raw([some], max(1, len(some)))
    facts = replace(own.facts, head=own.facts.head.told(raw, own.facts.class_names, str(own.path)))
    return replace(
        own, facts=facts, predictor=replace(own.predictor, facts=replace(own.predictor.facts, head=facts.head))
    )


def telling(images: Labelled) -> np.ndarray:
    """The images, uint8 [n, h, w, 3], whose answers tell what a model's answers mean: at most TOLD_BY, of every class. The answers to one
    class alone may not tell logits from chances."""
    return images.where(evenly(images.labels, TOLD_BY)).images


def read_model(path: Path, config: MonitorConfig) -> OwnModel:
    """The team's own model: a .keras or .onnx file, or one that is converted. It must fit the monitor file: its input, and the number
    of its classes. Raises NeedsAttention or DamagedModel."""
    file = read_model_file(path)
    data, kind = converted(file)
    facts = ModelFacts(path.name, config.classes, ModelInput.of(config.model.input), Head.expected(config.model))
    predictor = open_file(data, kind, facts, str(path))
    if isinstance(predictor, KerasPredictor):  # only the output that answers is kept
        data, facts = keras_file.to_bytes(predictor.model), replace(facts, head=replace(facts.head, name=None))
    return OwnModel(path, data, kind, facts, predictor)


class Brought(NamedTuple):
    """What is needed to register a model that the team brings: the training images, those of them that it is measured on, and where it
    comes from."""

    images: Labelled
    unlearnt: Unlearnt
    origin: Origin


def brought(store: MonitorStore, file: str) -> Brought:
    """For a model that comes from `file`, or from where that says."""
    table, whole = training_images(store)
    origin = Origin(IMPORTED_BY, None, _data_of(table), ImportedRecipe(name="imported", file=file), {})
    unlearnt = Unlearnt(*(whole.where(table["split"] == split) for split in (VALIDATION, EVALUATION)))
    return Brought(whole, unlearnt, origin)


def training_images(store: MonitorStore) -> tuple[pd.DataFrame, Labelled]:
    """The table of the training set that counts, and its images in the same order."""
    keys = set_keys(store)
    table = store.storage.read_table(keys.table)
    refuse_other_set(store, table)
    return table, Labelled.of(store.storage.read_array(keys.inputs), table, store.config.classes)


def _data_of(table: pd.DataFrame) -> ModelData:
    """What a card says of a model that was trained on the original set alone."""
    found = summary(table.assign(source=ORIGINAL, day="", confidence=1.0))
    return ModelData(**dict(found), run_key=None, set=digest_of(table))
