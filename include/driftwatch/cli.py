"""The command line, `driftwatch`: the first champion, the model registry, and what a monitor file would do.

On s3:// storage the login comes from the environment, as for the AWS command line (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_PROFILE, …), and AWS_ENDPOINT_URL names another S3 server.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from driftwatch.config import MonitorConfig
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.layout import MonitorLayout
from driftwatch.monitor_files import load_monitor
from driftwatch.storage import Storage


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0; 1 with a message on standard error where something is wrong."""
    options = _parser().parse_args(arguments)
    try:
        config = load_monitor(options.monitor)
        options.run(options, config, Storage(config.storage.uri), MonitorLayout(config.name))
    except DriftwatchError as error:
        print(f"driftwatch: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="driftwatch", description="Watches image classifiers; this is its command line."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    champion = commands.add_parser("champion", help="make the first champion, or go back to an earlier one")
    kinds = champion.add_subparsers(required=True, metavar="train|import|rollback")
    train = kinds.add_parser("train", help="train a small ResNet on labelled images")
    _monitor_argument(train)
    train.add_argument(
        "--recipe",
        choices=("monitor", "fast"),
        default="monitor",
        help="monitor: model.recipe of the monitor file; fast: half as wide, and a quarter of the time",
    )
    train.add_argument("--epochs", type=_positive, help="instead of the recipe's")
    train.set_defaults(run=_train)
    bring = kinds.add_parser("import", help="take the team's own Keras model")
    _monitor_argument(bring)
    bring.add_argument("model", type=Path, help="a .keras file: [n, size, size, 3] in 0..255 to [n, classes]")
    bring.set_defaults(run=_import)
    for command in (train, bring):
        command.add_argument("--images", type=Path, help="folder <class>/<file>, copied into the storage first")
        command.add_argument("--replace", action="store_true", help="replace a champion that is there already")

    back = kinds.add_parser("rollback", help="make the champion before this one serve again")
    _monitor_argument(back)
    back.add_argument("--to", metavar="VERSION", help="a registered version; by default the one before")
    back.set_defaults(run=_rollback)

    models = commands.add_parser("models", help="list, show and compare registered models")
    _monitor_argument(models)
    models.add_argument("action", nargs="?", choices=("list", "show", "compare"), default="list")
    models.add_argument("versions", nargs="*", help="one for show, two for compare")
    models.set_defaults(run=_models)

    verdicts = commands.add_parser("verdicts", help="list the judged days, and what a day's verdict was before")
    _monitor_argument(verdicts)
    verdicts.add_argument(
        "--changed",
        action="store_true",
        help="only days whose verdict changed with late or corrected labels, or would if run again",
    )
    verdicts.set_defaults(run=_verdicts)

    check = commands.add_parser("check", help="validate a monitor file and say what it would do and cost")
    _monitor_argument(check)
    check.set_defaults(run=_check)
    return parser


def _monitor_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("monitor", type=Path, metavar="MONITOR.yaml")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _train(options: argparse.Namespace, config: MonitorConfig, storage: Storage, layout: MonitorLayout) -> None:
    _refuse_champion(options, storage, layout)
    _take_in(options, config, storage, layout)
    from driftwatch.model.champion import recipe_of, train_champion

    epochs = recipe_of(config, options.recipe, options.epochs).epochs
    began = time.perf_counter()

    def progress(row: dict[str, Any]) -> None:
        left = (time.perf_counter() - began) / row["epoch"] * (epochs - row["epoch"])
        scores = f"accuracy {row['accuracy']:.3f}"
        scores += f"  validation {row['val_accuracy']:.3f}" if "val_accuracy" in row else ""
        print(
            f"  epoch {row['epoch']:3d} of {epochs}  loss {row['loss']:.3f}  {scores}  about {left:.0f} s left",
            flush=True,
        )

    print(f"Training by the recipe {options.recipe}, {epochs} epochs")
    version = train_champion(storage, layout, config, options.recipe, epochs, on_epoch=progress)
    _hand_over(options, config, storage, layout, version, "driftwatch champion train")


def _rollback(options: argparse.Namespace, config: MonitorConfig, storage: Storage, layout: MonitorLayout) -> None:
    from driftwatch.model.handover import rollback
    from driftwatch.model.registry import champion_version

    current = champion_version(storage, layout)
    pointer = rollback(
        storage, layout, options.to, promoted_by=f"driftwatch champion rollback from {current}", config=config
    )
    print(
        f"{pointer['version']} is the champion again, instead of {current}; days that were judged already keep theirs"
    )


def _import(options: argparse.Namespace, config: MonitorConfig, storage: Storage, layout: MonitorLayout) -> None:
    from driftwatch.model.champion import import_champion, read_model

    _refuse_champion(options, storage, layout)
    read_model(options.model, config)  # one that does not fit must not replace the training set
    _take_in(options, config, storage, layout)

    version = import_champion(storage, layout, config, options.model)
    _hand_over(options, config, storage, layout, version, "driftwatch champion import")


def _refuse_champion(options: argparse.Namespace, storage: Storage, layout: MonitorLayout) -> None:
    from driftwatch.model.registry import champion

    current = champion(storage, layout)
    if current and not options.replace:
        raise NeedsAttention(
            f"{layout.monitor} has a champion already, {current['version']}: add --replace to put another in its place without a "
            "gate, or retrain it by the retraining DAG"
        )


def _take_in(options: argparse.Namespace, config: MonitorConfig, storage: Storage, layout: MonitorLayout) -> None:
    from driftwatch.model.dataset import copy_images, take_in_training_set

    if options.images:
        copied = copy_images(storage, layout, config, options.images)
        print(f"Copied {copied} images to {storage.url(layout.training_images)}")
    counts = take_in_training_set(storage, layout, config)
    print(", ".join(f"{counts[name]} {name}" for name in ("listed", "accepted", "duplicate", "quarantined", "ignored")))
    for split, classes in counts["images"].items():
        print(f"  {split}: " + ", ".join(f"{n} {name}" for name, n in classes.items()))


def _hand_over(
    options: argparse.Namespace, config: MonitorConfig, storage: Storage, layout: MonitorLayout, version: str, by: str
) -> None:
    """The reference first, so that no champion is ever without one."""
    from driftwatch.model.handover import build_reference_of
    from driftwatch.model.registry import card, champion, promote

    reference = build_reference_of(storage, layout, config, version)
    current = champion(storage, layout)
    promote(storage, layout, version, by, expected=current["version"] if current else None)
    print(f"Champion {version}: accuracy {_accuracy(card(storage, layout, version))} on held-out images")
    print(f"Drift reference from {reference['images']} images")


def _models(options: argparse.Namespace, config: MonitorConfig, storage: Storage, layout: MonitorLayout) -> None:
    from driftwatch.model.registry import card, champion, versions

    wanted = {"list": 0, "show": 1, "compare": 2}[options.action]
    if len(options.versions) != wanted:
        raise NeedsAttention(f"models {options.action} takes {wanted} version(s), not {len(options.versions)}")
    if options.action == "show":
        print(json.dumps(card(storage, layout, options.versions[0]), indent=2, ensure_ascii=False))
        return
    cards = [card(storage, layout, version) for version in options.versions or versions(storage, layout)]
    if options.action == "list":
        current = champion(storage, layout)
        for found in cards:
            mark = "*" if current and current["version"] == found["version"] else " "
            print(
                f"{mark} {found['version']}  {_accuracy(found)}  parent {found['parent'] or '-'}  by {found['created_by']}"
            )
        if not cards:
            print("No model is registered yet: driftwatch champion train")
        return
    rows = [_described(found) for found in cards]
    for name in rows[0]:
        print(f"{name:24s}  " + "  ".join(f"{row[name]:32s}" for row in rows).rstrip())


def _verdicts(options: argparse.Namespace, config: MonitorConfig, storage: Storage, layout: MonitorLayout) -> None:
    from driftwatch.performance.history import performances, verdict_changed
    from driftwatch.performance.later_days import outdated

    days = performances(storage, layout, date.min, date.max)
    now = {found["day"]: found["now"] for found in outdated(storage, layout, config, days)}
    for found in days:
        if options.changed and not verdict_changed(found) and found["day"] not in now:
            continue
        said = found["verdict"] + (f" ({found['severity']})" if found.get("severity") else "")
        before = [f"{earlier['verdict']} on {earlier['labels']} labels" for earlier in found.get("revisions", [])]
        history = f"  before: {', then '.join(before)}" if before else ""
        if found["day"] in now:
            history += f"  run it again: by the file and the labels as they are now, {now[found['day']]}"
        print(
            f"{found['day']}  {said:22s}  accuracy {_share(found['accuracy'])}  model {found['model_version']}{history}"
        )
    changed = sum(verdict_changed(found) for found in days)
    print(f"{len(days)} days judged; the verdict of {changed} changed after it was first given")


def _described(card: dict[str, Any]) -> dict[str, str]:
    recipe, data, classes = card["recipe"], card["data"], card["metrics"]["holdout"]["classes"]
    return {
        "version": card["version"],
        "parent": card["parent"] or "-",
        "asked for by": card["created_by"],
        "holdout accuracy": _accuracy(card),
        **{f"holdout recall {name}": _share(found["recall"]) for name, found in classes.items()},
        "recipe": recipe["name"],
        "epochs": str(recipe.get("epochs", "-")),
        "learning rate": str(recipe.get("learning_rate", "-")),
        "images": str(data["images"]),
        "new labels": str(data["new_labels"]),
        "imitated damage": str((data.get("damage") or {}).get("kind", "-")),
        "gate": card.get("gate", {}).get("decision", "-"),
    }


def _accuracy(card: dict[str, Any]) -> str:
    return _share(card["metrics"]["holdout"]["accuracy"])


def _share(found: dict[str, Any]) -> str:
    if found["value"] is None:
        return f"none ({found['reason']})"
    return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%}, n {found['n']})"


def _check(options: argparse.Namespace, config: MonitorConfig, storage: Storage, layout: MonitorLayout) -> None:
    from driftwatch.annotation.plan import cost_of
    from driftwatch.as_trained import refuse_other_champion
    from driftwatch.model import promotable
    from driftwatch.model.registry import card, champion
    from driftwatch.performance.sample_size import expected_accuracy, images_for_width

    annotation, retraining = config.annotation, config.retraining
    refuse_other_champion(storage, layout, config)
    current = champion(storage, layout)
    of_champion = card(storage, layout, current["version"]) if current else None
    images = annotation.sample_size
    if images == "auto":
        expected = expected_accuracy(of_champion) if of_champion else 0.5
        images = images_for_width(annotation.interval_width, expected, config.performance.confidence)
    cost = cost_of(images, annotation)
    evaluation = images * retraining.evaluation_share
    print(f"{options.monitor}: valid. Monitor {config.name}: {', '.join(config.classes)}")
    print(
        f"Runs {config.schedule.delivery_hours:g} h after each UTC day from {config.schedule.start_date}; images in {storage.url(layout.monitor)}"
    )
    print(f"Champion: {current['version'] if current else 'none yet; run driftwatch champion train'}")
    print(
        f"A day of {images} labelled images: {cost['pages']} pages, {cost['total']:.2f} USD with the fee "
        f"(limit {annotation.max_cost_per_day:.2f}); 30 such days {30 * cost['total']:.2f} USD (limit {annotation.max_cost_per_month:.2f})"
    )
    print(
        f"An alert retrains on the labels of {retraining.days_back} days, of which {evaluation:.0f} a day are kept for evaluation; "
        f"promotion: {retraining.promotion}"
    )
    sizes = promotable.sizes_of(storage, layout, config, images, of_champion)
    print(promotable.said(config, sizes))
    for warning in [*_warnings(config, images, cost["total"], evaluation), *promotable.warnings(config, sizes)]:
        print(f"Warning: {warning}")


def _warnings(config: MonitorConfig, images: int, daily_cost: float, evaluation: float) -> list[str]:
    """What is allowed, and yet will not work as hoped."""
    annotation = config.annotation
    found = []
    if daily_cost > annotation.max_cost_per_day:
        found.append("a full day costs more than annotation.max_cost_per_day: such days will be refused")
    if 30 * daily_cost > annotation.max_cost_per_month:
        days = int(annotation.max_cost_per_month / daily_cost)
        found.append(
            f"annotation.max_cost_per_month is enough for {days} full days of a month: later ones will be refused"
        )
    if images < config.performance.min_labels:
        found.append("annotation.sample_size is below performance.min_labels: no day will ever have a verdict")
    needed = config.retraining.min_evaluation_labels
    if evaluation < needed:
        found.append(
            f"one day leaves {evaluation:.0f} images for the gate, which needs {needed}: a single alert cannot promote a model"
        )
    return found


if __name__ == "__main__":
    sys.exit(main())
