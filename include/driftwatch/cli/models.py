"""`driftwatch models`: the registered models, listed, shown and compared."""

from __future__ import annotations

import argparse
import json
from typing import Any

from driftwatch.artifacts.models import CardRecipe, ModelCard
from driftwatch.artifacts.store import MonitorStore
from driftwatch.cli.failures import UsageError
from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.view.shares import wide_share


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    models = commands.add_parser("models", parents=[everywhere], help="list, show and compare registered models")
    monitor_argument(models)
    models.add_argument("action", nargs="?", choices=("list", "show", "compare", "mlflow"), default="list")
    models.add_argument("versions", nargs="*", help="one for show, two for compare")
    models.set_defaults(run=_models)


def _models(options: argparse.Namespace) -> None:
    from driftwatch.models.registry import card, champion, versions

    wanted = {"list": 0, "show": 1, "compare": 2, "mlflow": 0}[options.action]
    if len(options.versions) != wanted:
        raise UsageError(f"models {options.action} takes {wanted} version(s), not {len(options.versions)}")
    monitor = monitor_of(options)
    if options.action == "mlflow":
        _mlflow(monitor)
        return
    if options.action == "show":
        shown = card(monitor, options.versions[0]).stored()
        print(json.dumps(shown, indent=2, sort_keys=True, ensure_ascii=False))
        return
    cards = [card(monitor, version) for version in options.versions or versions(monitor)]
    if options.action == "list":
        current = champion(monitor)
        for found in cards:
            mark = "*" if current and current.version == found.version else " "
            print(
                f"{mark} {found.version}  {wide_share(found.metrics.holdout.accuracy)}  parent {found.parent or '-'}  by {found.created_by}"
            )
        if not cards:
            print("No model is registered yet: driftwatch check names the command that registers the first")
        return
    rows = [_described(found, monitor.config.classes) for found in cards]
    names = dict.fromkeys(name for row in rows for name in row)
    width = max(24, *map(len, names))
    for name in names:
        print(f"{name:{width}s}  " + "  ".join(f"{row.get(name, '-'):32s}" for row in rows).rstrip())


def _mlflow(monitor: MonitorStore) -> None:
    """Brings MLflow up to the registry now."""
    from driftwatch.models.mlflow.mirror import api_of, show_versions
    from driftwatch.view.mlflow import mlflow_notes

    api_of(monitor)  # refuses a monitor without registry.mlflow
    for note in mlflow_notes(show_versions(monitor), monitor.config):
        print(note.text)


def _described(card: ModelCard, order: tuple[str, ...]) -> dict[str, str]:
    from driftwatch.models.metrics import in_order

    data, classes = card.data, card.metrics.holdout.classes
    recipe = card.recipe if isinstance(card.recipe, CardRecipe) else None
    return {
        "version": card.version,
        "parent": card.parent or "-",
        "asked for by": card.created_by,
        "holdout accuracy": wide_share(card.metrics.holdout.accuracy),
        **{f"holdout recall {name}": wide_share(classes[name].recall) for name in in_order(classes, order)},
        "recipe": card.recipe.name,
        "epochs": str(recipe.epochs) if recipe else "-",
        "learning rate": str(recipe.learning_rate) if recipe else "-",
        "images": str(data.images),
        "new labels": str(data.new_labels),
        "imitated damage": data.damage.kind if data.damage else "-",
        "gate": card.gate.decision if card.gate else "-",
    }
