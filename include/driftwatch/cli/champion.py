"""`driftwatch champion`: the first champion, trained or imported, and the way back to an earlier one."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from driftwatch.artifacts.models import TimedEpochRow
from driftwatch.artifacts.store import MonitorStore
from driftwatch.cli.failures import UsageError
from driftwatch.cli.mlflow import tell_mlflow
from driftwatch.cli.model_checks import check_own, check_version, warn_of_chance
from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.cli.quiet import quiet_tensorflow
from driftwatch.config.model import ENDPOINT, LOGGED
from driftwatch.errors import NeedsAttention
from driftwatch.view.shares import wide_share


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    champion = commands.add_parser("champion", help="make the first champion, or go back to an earlier one")
    kinds = champion.add_subparsers(required=True, metavar="train|import|rollback")
    train = kinds.add_parser("train", parents=[everywhere], help="train a small ResNet on labelled images")
    monitor_argument(train)
    train.add_argument(
        "--recipe",
        choices=("monitor", "fast"),
        default="monitor",
        help="monitor: model.recipe of the monitor file; fast: half as wide, and a quarter of the time",
    )
    train.add_argument("--epochs", type=_positive, help="instead of the recipe's")
    train.set_defaults(run=_train)
    bring = kinds.add_parser("import", parents=[everywhere], help="take the team's own model")
    monitor_argument(bring)
    bring.add_argument(
        "model",
        type=Path,
        nargs="?",
        help="a .keras, .onnx or .h5 file, a SavedModel folder, or models:/NAME/VERSION or models:/NAME@ALIAS of registry.mlflow; "
        "model.input and model.output say what it is given and gives; none for model.predictions: endpoint, whose server is asked",
    )
    bring.add_argument(
        "--answers",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="for model.predictions logged, in place of a model: production's answers for the training images, as model.logged describes them",
    )
    bring.add_argument(
        "--expect",
        type=Path,
        metavar="FILE",
        help="scores that your own serving gave for some of the training images, to be compared with those of the file that is imported: CSV, Parquet or JSON Lines with key or image_id, and score.<class>",
    )
    bring.add_argument(
        "--accept",
        action="store_true",
        help="take the model though its answers are no better than chance, would be far better by other settings, or are not those of --expect",
    )
    bring.set_defaults(run=_import)
    for command in (train, bring):
        command.add_argument("--images", type=Path, help="folder <class>/<file>, copied into the storage first")
        command.add_argument("--replace", action="store_true", help="replace a champion that is there already")

    back = kinds.add_parser("rollback", parents=[everywhere], help="make the champion before this one serve again")
    monitor_argument(back)
    back.add_argument("--to", metavar="VERSION", help="a registered version; by default the one before")
    back.set_defaults(run=_rollback)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _train(options: argparse.Namespace) -> None:
    monitor = monitor_of(options)
    _refuse_champion(options, monitor)
    _take_in(options, monitor)
    with quiet_tensorflow(options.debug):
        version = _trained(options, monitor)
        warn_of_chance(monitor, version)
        _hand_over(monitor, version, "driftwatch champion train")


def _trained(options: argparse.Namespace, monitor: MonitorStore) -> str:
    from driftwatch.models.champion import recipe_of, train_champion

    epochs = recipe_of(monitor.config, options.recipe, options.epochs).epochs
    began = time.perf_counter()

    def progress(row: TimedEpochRow) -> None:
        left = (time.perf_counter() - began) / row.epoch * (epochs - row.epoch)
        scores = f"accuracy {row.accuracy:.3f}"
        scores += f"  validation {row.val_accuracy:.3f}" if row.val_accuracy is not None else ""
        print(
            f"  epoch {row.epoch:3d} of {epochs}  loss {row.loss:.3f}  {scores}  about {left:.0f} s left",
            flush=True,
        )

    print(f"Training by the recipe {options.recipe}, {epochs} epochs", flush=True)
    return train_champion(monitor, options.recipe, epochs, on_epoch=progress)


def _rollback(options: argparse.Namespace) -> None:
    from driftwatch.drift.accepted import prepare_states
    from driftwatch.models.registry import champion_version
    from driftwatch.models.rollback import rollback

    monitor = monitor_of(options)
    current = champion_version(monitor)
    by = f"driftwatch champion rollback from {current}"
    pointer = rollback(monitor, options.to, promoted_by=by)
    with quiet_tensorflow(options.debug):  # days were accepted since: what this model makes of them
        prepare_states(monitor, pointer.version)
    print(f"{pointer.version} is the champion again, instead of {current}; days that were judged already keep theirs")
    tell_mlflow(monitor)


def _import(options: argparse.Namespace) -> None:
    from driftwatch.models.mlflow.importing import model_at

    _refuse_expect(options)
    monitor = monitor_of(options)
    _refuse_champion(options, monitor)  # before a download
    if options.model is None:
        _import_file(options)
        return
    with model_at(monitor, str(options.model)) as file:
        _import_file(argparse.Namespace(**{**vars(options), "model": Path(file)}))


def _refuse_expect(options: argparse.Namespace) -> None:
    """Refuses --expect where no model's file is imported: nothing would be compared."""
    if options.expect and (options.answers or options.model is None):
        why = "those of --answers are production's own" if options.answers else "no file is named"
        raise UsageError(
            f"--expect {options.expect}: its scores are compared with those of a model's file, and {why}. Take --expect out, or name the "
            "file that your serving runs"
        )


def _import_file(options: argparse.Namespace) -> None:
    from driftwatch.models.model_file import read_model_file

    monitor = monitor_of(options)
    _refuse_champion(options, monitor)
    if options.answers:
        _import_answers(options, monitor)
        return
    if options.model is None:
        _import_endpoint(options, monitor)
        return
    read_model_file(options.model)  # a wrong file is told before TensorFlow is imported
    with quiet_tensorflow(options.debug):
        from driftwatch.models.champion import import_champion, read_model

        own = read_model(options.model, monitor.config)  # one that does not fit must not replace the training set
    _take_in(options, monitor)
    with quiet_tensorflow(options.debug):
        check_own(options, monitor, own)
        version = import_champion(monitor, own)
        _hand_over(monitor, version, "driftwatch champion import")


def _import_answers(options: argparse.Namespace, monitor: MonitorStore) -> None:
    from driftwatch.models.logged.registration import register_answers

    if options.model is not None:
        raise UsageError(
            f"{options.model} and --answers: what production answered stands in place of a model; name one"
        )
    if monitor.config.model.predictions != LOGGED:
        raise UsageError("--answers is for a monitor file with model.predictions: logged")
    _take_in(options, monitor)
    version = register_answers(monitor, options.answers)
    check_version(options, monitor, version)
    _hand_over(monitor, version, "driftwatch champion import --answers")


def _import_endpoint(options: argparse.Namespace, monitor: MonitorStore) -> None:
    from driftwatch.models.endpoint_champion import import_endpoint, look_at_endpoint

    if monitor.config.model.predictions != ENDPOINT:
        raise UsageError(
            f"name the model's file; with model.predictions: logged name production's answers by --answers FILE, and with {ENDPOINT} nothing. "
            f"It is {monitor.config.model.predictions}"
        )
    look_at_endpoint(monitor)  # one that does not fit must not replace the training set
    _take_in(options, monitor)
    version = import_endpoint(monitor)
    check_version(options, monitor, version)
    _hand_over(monitor, version, "driftwatch champion import")


def _refuse_champion(options: argparse.Namespace, monitor: MonitorStore) -> None:
    from driftwatch.models.registry import champion

    current = champion(monitor)
    if current and not options.replace:
        raise NeedsAttention(
            f"{monitor.keys.monitor} has a champion already, {current.version}: add --replace to put another in its place "
            "without a gate, or retrain it by the retraining DAG"
        )


def _take_in(options: argparse.Namespace, monitor: MonitorStore) -> None:
    from driftwatch.models.dataset import copy_images, take_in_training_set

    storage, config = monitor.storage, monitor.config
    if options.images:
        if not options.images.is_dir():
            raise UsageError(f"--images {options.images}: no such folder")
        copied = copy_images(monitor, options.images)
        print(f"Copied {copied} images to {storage.url(monitor.keys.training_images)}", flush=True)
    counts = take_in_training_set(monitor)
    print(
        ", ".join(
            f"{getattr(counts, name)} {name}" for name in ("listed", "accepted", "duplicate", "quarantined", "ignored")
        )
    )
    for split, classes in counts.images.items():
        named = (f"{classes[name]} {name}" for name in config.classes if name in classes)
        print(f"  {split}: " + ", ".join(named), flush=True)


def _hand_over(monitor: MonitorStore, version: str, by: str) -> None:
    """The reference first, so that no champion is ever without one."""
    from driftwatch.drift.handover import build_reference_of
    from driftwatch.models.registry import card, champion, promote

    reference = build_reference_of(monitor, version)
    current = champion(monitor)
    promote(monitor, version, by, expected=current.version if current else None)
    print(
        f"Champion {version}: accuracy {wide_share(card(monitor, version).metrics.holdout.accuracy)} on held-out images"
    )
    print(f"Drift reference from {reference.images} images")
    tell_mlflow(monitor)
