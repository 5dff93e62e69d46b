"""Says what a retraining or a rollback would do. Does nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.parts import Share
from driftwatch.artifacts.retraining import DatasetCard
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.retraining import HANDOVER, RetrainingConfig
from driftwatch.models import registry
from driftwatch.models.dataset import ORIGINAL, TRAIN, dataset_card
from driftwatch.models.original_set import set_keys
from driftwatch.models.returned import trained_elsewhere
from driftwatch.models.rollback import rollback_target
from driftwatch.models.trainers import chosen_trainer, trainer_name


@dataclass(frozen=True)
class RetrainingPlan:
    """A training on `set` with `settings`. It would take about `seconds` on this machine; None where the set is handed over to the team. The
    challenger could replace `champion`, which has the `accuracy` on its holdout."""

    set: DatasetCard
    seconds: float | None
    champion: str
    accuracy: Share
    settings: RetrainingConfig


@dataclass(frozen=True)
class VersionPlan:
    """`version` would become the champion in place of `champion`; a challenger only if the gate is passed. Each has its accuracy on its
    holdout."""

    version: str
    version_accuracy: Share
    champion: str
    champion_accuracy: Share


def plan_retraining(store: MonitorStore, first_day: date, last_day: date) -> RetrainingPlan:
    """What a retraining on the labels of these days would do. Writes nothing. Raises the errors of `dataset_card`."""
    found, champion = dataset_card(store, first_day, last_day), registry.champion_version(store)
    seconds = None if trainer_name(store) == HANDOVER else _training_seconds(store, found)
    return RetrainingPlan(found, seconds, champion, _accuracy(store, champion), store.config.retraining)


def plan_rollback(store: MonitorStore, to_version: str | None) -> VersionPlan:
    """What a rollback would do. Writes nothing. Raises the errors of `rollback_target`."""
    current = registry.champion(store)
    target = rollback_target(store, current, to_version)
    champion = registry.champion_version(store)
    return VersionPlan(target, _accuracy(store, target), champion, _accuracy(store, champion))


def plan_comparison(store: MonitorStore, version: str) -> VersionPlan:
    """What the comparison of a challenger that was trained elsewhere would do. Writes nothing. Raises the errors of `take_up_challenger`."""
    champion = trained_elsewhere(store, version).champion
    return VersionPlan(version, _accuracy(store, version), champion, _accuracy(store, champion))


def _accuracy(store: MonitorStore, version: str) -> Share:
    return registry.card(store, version).metrics.holdout.accuracy


def _training_seconds(store: MonitorStore, card: DatasetCard) -> float:
    from driftwatch.models.challenger import challenger_recipe, start_of
    from driftwatch.models.training.base import Labelled, TrainingSet

    settings = store.config.retraining
    original = card.by_source[ORIGINAL][TRAIN]
    recipe = challenger_recipe(store.config, epoch_size=round(original / (1 - settings.recent_share)))
    start = start_of(store, registry.champion_version(store))
    keys = set_keys(store)
    some = Labelled.of(
        store.storage.read_array(keys.inputs), store.storage.read_table(keys.table), store.config.classes
    )
    few = some.where(np.arange(len(some.labels)) < recipe.batch_size)
    about, names = ModelInput.of(store.config.model.input), store.config.classes
    trainings = 1 if settings.cross_fit == 1 else 1 + settings.cross_fit
    data = TrainingSet(few, len(names), input=about, class_names=names)
    return trainings * chosen_trainer(store).seconds(data, recipe, start)
