"""What a retraining or a rollback would do, without doing it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import registry
from driftwatch.models.dataset import ORIGINAL, TRAIN, dataset_card
from driftwatch.models.original_set import set_keys
from driftwatch.models.rollback import rollback_target


def plan_retraining(store: MonitorStore, first_day: date, last_day: date) -> dict[str, Any]:
    """`set` (the dataset card), `seconds` that training would take on this machine, `champion` (what would be replaced, with its
    accuracy on the holdout), and all of it as lines of `text`. Writes nothing."""
    card = dataset_card(store, first_day, last_day)
    champion = registry.champion_version(store)
    seconds = _training_seconds(store, card)
    held = registry.card(store, champion)["metrics"]["holdout"]["accuracy"]
    settings = store.config.retraining
    kind = f"fine-tune {champion}" if settings.start_from == "champion" else "train a new model from scratch"
    if settings.promotion == "never":
        then = "It would replace nothing: promotion is never."
    else:
        asked = " and a person approves" if settings.promotion == "approval" else ""
        then = f"Where the gate is passed{asked} it would replace {champion}, {_accuracy(held)}."
    text = [
        f"Would {kind} on {card['images']} images, {card['new_labels']} of them with labels of {first_day} to {last_day}.",
        *[f"  {day}: {_listed(counts)}" for day, counts in card["by_day"].items()],
        f"  classes of the training part: {_listed(card['class_balance'])}",
        f"  labels left out: {_listed(card['left_out'])}",
        f"Training would take about {max(1, round(seconds / 60))} minute(s) on this machine.",
        then,
    ]
    return {"action": "retrain", "set": card, "seconds": round(seconds), "champion": champion, "text": text}


def plan_rollback(store: MonitorStore, to_version: str | None) -> dict[str, Any]:
    """`version` that would become the champion instead of `champion`, and the same as lines of `text`. Writes nothing."""
    current = registry.champion(store)
    target = rollback_target(store, current, to_version)
    assert current is not None
    lines = [
        f"{name}: {_accuracy(registry.card(store, name)['metrics']['holdout']['accuracy'])}"
        for name in (target, current["version"])
    ]
    text = [f"Would make {target} the champion instead of {current['version']}.", *lines]
    return {"action": "rollback", "version": target, "champion": current["version"], "text": text}


def _training_seconds(store: MonitorStore, card: Mapping[str, Any]) -> float:
    """From a few real training steps on original images, measured here."""
    from driftwatch.models.challenger import challenger_recipe, start_of
    from driftwatch.models.training.base import Labelled, TrainingSet, trainer

    settings = store.config.retraining
    original = card["by_source"][ORIGINAL][TRAIN]
    recipe = challenger_recipe(store.config, epoch_size=round(original / (1 - settings.recent_share)))
    start = start_of(store, registry.champion_version(store))
    keys = set_keys(store)
    some = Labelled.of(
        store.storage.read_array(keys.inputs), store.storage.read_table(keys.table)["label"], store.config.classes
    )
    few = some.where(np.arange(len(some.labels)) < recipe.batch_size)
    return trainer().seconds(TrainingSet(few, len(store.config.classes)), recipe, start)


def _accuracy(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "accuracy unknown"
    return f"accuracy {found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%}) on {found['n']} held-out images"


def _listed(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in counts.items())
