"""Who trains a monitor's challenger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.retraining import HANDOVER, KERAS
from driftwatch.models import registry

if TYPE_CHECKING:
    from driftwatch.models.training.base import Trainer


def trainer_name(store: MonitorStore) -> str:
    """What `retraining.trainer` says. By default Keras trains where the champion is a Keras model, and else the team."""
    said = store.config.retraining.trainer
    if said is not None:
        return said
    champion = registry.card(store, registry.champion_version(store))
    return KERAS if champion.kind == KERAS else HANDOVER


def chosen_trainer(store: MonitorStore) -> Trainer:
    """The trainer of that name. Raises ConfigError if there is none."""
    from driftwatch.models.training.base import trainer

    return trainer(trainer_name(store))
