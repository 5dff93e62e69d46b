"""The first champion. It is trained on the original labelled images, or it is the team's own Keras model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.models import CardRecipe, ImportedRecipe, ModelData
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.cards import Origin, Unlearnt, register_trained
from driftwatch.models.dataset import EVALUATION, ORIGINAL, TRAIN, VALIDATION, summary
from driftwatch.models.model_file import read_keras_file
from driftwatch.models.original_set import digest_of, refuse_other_labels, set_keys
from driftwatch.models.runtime import prepare
from driftwatch.models.training.base import Attempt, Labelled, OnEpoch, Recipe, Trained, TrainingSet, trainer

if TYPE_CHECKING:
    import keras
    import pandas as pd

# The settings in which each recipe differs from the monitor file's model.recipe.
RECIPES: dict[str, dict[str, float]] = {
    "monitor": {},
    "fast": {"epochs": 30, "width": 12, "learning_rate": 2e-3},
}


def train_champion(
    store: MonitorStore,
    recipe: str = "monitor",
    epochs: int | None = None,
    created_by: str = "driftwatch champion train",
    on_epoch: OnEpoch | None = None,
) -> str:
    """Trains a model on the training set that was taken in, registers it, and returns its version. It is not promoted yet.

    `recipe`: a key of RECIPES, with other `epochs` if given.
    """
    chosen = recipe_of(store.config, recipe, epochs)
    table, whole = _training_set(store)
    train, validation, holdout = (whole.where(table["split"] == split) for split in (TRAIN, VALIDATION, EVALUATION))
    data = TrainingSet(train, len(store.config.classes), validation)
    trained = trainer().train(data, chosen, attempt=Attempt(on_epoch=on_epoch))
    origin = Origin(
        created_by, None, _data_of(table), CardRecipe(**dict(chosen.noted), name=recipe), {"training": chosen.seed}
    )
    return register_trained(store, trained, Unlearnt(validation, holdout), origin)


def recipe_of(config: MonitorConfig, recipe: str = "monitor", epochs: int | None = None) -> Recipe:
    """The recipe of this name with the monitor file's seed."""
    changes = {**RECIPES[recipe], **({"epochs": epochs} if epochs else {})}
    return Recipe.model_validate({**config.model.recipe.model_dump(), **changes, "seed": config.retraining.seed})


def import_champion(
    store: MonitorStore,
    path: Path,
    created_by: str = "driftwatch champion import",
) -> str:
    """Registers the team's own .keras file and returns its version. It is not promoted yet.

    It must take [n, input_size, input_size, 3] in 0..255 (scaling belongs inside the model) and give [n, classes], logits or
    probabilities. Its holdout metrics are measured on the evaluation part of the training set. If the team trained
    the model on those images, the metrics look better than the model is. Raises NeedsAttention or registry.DamagedModel.
    """
    model = read_model(path, store.config)
    table, whole = _training_set(store)
    origin = Origin(created_by, None, _data_of(table), ImportedRecipe(name="imported", file=path.name), {})
    unlearnt = Unlearnt(*(whole.where(table["split"] == split) for split in (VALIDATION, EVALUATION)))
    imported = Trained(registry.to_bytes(model), from_logits=not _gives_probabilities(model, whole.images[:64]))
    return register_trained(store, imported, unlearnt, origin)


def read_model(path: Path, config: MonitorConfig) -> keras.Model:
    """The team's own model. It must fit the monitor file. Raises NeedsAttention or registry.DamagedModel."""
    prepare(config.retraining.seed)
    model = registry.from_bytes(read_keras_file(path), str(path))
    size, classes = config.model.input_size, len(config.classes)
    if model.input_shape != (None, size, size, 3) or model.output_shape != (None, classes):
        raise NeedsAttention(
            f"{path} maps {model.input_shape} to {model.output_shape}; the monitor file needs (None, {size}, {size}, 3), from "
            f"model.input_size, to (None, {classes}), one output for each of {list(config.classes)}"
        )
    return model


def _gives_probabilities(model: keras.Model, images: np.ndarray) -> bool:
    found = model(images.astype("float32"), training=False).numpy()
    return bool((found >= 0).all() and np.allclose(found.sum(axis=1), 1, atol=1e-3))


def _training_set(store: MonitorStore) -> tuple[pd.DataFrame, Labelled]:
    keys = set_keys(store)
    table, inputs = store.storage.read_table(keys.table), store.storage.read_array(keys.inputs)
    refuse_other_labels(store.storage, keys.table, store.config, table)
    if inputs.shape[1] != store.config.model.input_size:
        raise NeedsAttention(
            f"{store.storage.url(keys.inputs)} is {inputs.shape[1]} px, model.input_size {store.config.model.input_size}: take the "
            "training set in again by `driftwatch champion train` with this monitor file"
        )
    return table, Labelled.of(inputs, table["label"], store.config.classes)


def _data_of(table: pd.DataFrame) -> ModelData:
    """What a card says of a model that was trained on the original set alone."""
    found = summary(table.assign(source=ORIGINAL, day="", confidence=1.0))
    return ModelData(**dict(found), run_key=None, set=digest_of(table))
