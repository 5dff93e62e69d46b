"""`driftwatch check`: what a monitor file would do and cost, without doing it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import MonitorStore
from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.config import LabelsConfig, MonitorConfig
from driftwatch.config.label_table import UNKNOWN
from driftwatch.config.loader import load_monitor
from driftwatch.config.model import CHAMPION, ENDPOINT
from driftwatch.config.retraining import HANDOVER, KERAS
from driftwatch.errors import ConfigError, StorageFailed

if TYPE_CHECKING:
    from driftwatch.artifacts.models import ModelCard
    from driftwatch.config.label_table import LabelTableConfig


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    check = commands.add_parser(
        "check", parents=[everywhere], help="validate a monitor file and say what it would do and cost"
    )
    monitor_argument(check)
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> None:
    from driftwatch.models.as_trained import refuse_other_champion
    from driftwatch.models.registry import card, champion

    monitor = _reached(options)
    config, storage = monitor.config, monitor.storage
    refuse_other_champion(monitor)
    current = champion(monitor)
    of_champion = card(monitor, current.version) if current else None
    print(f"{options.monitor}: valid. Monitor {config.name}: {', '.join(config.classes)}")
    print(
        f"Runs {config.schedule.delivery_hours:g} h after each UTC day from {config.schedule.start_date}; images in {storage.url(monitor.keys.monitor)}"
    )
    first = "train" if config.model.predictions == CHAMPION else "import"
    print(f"Champion: {current.version if current else f'none yet; run driftwatch champion {first}'}")
    if config.labels.labelled:
        _say_labels(monitor, of_champion)
    else:
        print("Labels: none. Drift is watched; nobody can tell how accurate the model is, and nothing is retrained")
    if config.model.predictions == ENDPOINT:
        print(_server(monitor))


def _say_labels(monitor: MonitorStore, of_champion: ModelCard | None) -> None:
    """Where labels come from, what they cost, and what they are enough for."""
    from driftwatch.labels.money import cost_of
    from driftwatch.labels.sample_size import expected_accuracy, images_for_width
    from driftwatch.models import promotable
    from driftwatch.models.trainers import trainer_name

    config = monitor.config
    labels, retraining = config.labels, config.retraining
    images = labels.sample_size
    if images == "auto":
        expected = expected_accuracy(of_champion) if of_champion else 0.5
        images = images_for_width(labels.interval_width, expected, config.performance.confidence)
    if labels.table:
        print(_table(labels.table, labels))
    if labels.people:
        print(_cost(images, labels))
    whom = trainer_name(monitor) if of_champion else KERAS
    if labels.table and labels.table.covers == UNKNOWN:
        print(f"No alert: retraining is started by hand alone; trainer: {retraining.trainer or whom}")
        return
    kept = (
        f", of which {images * retraining.evaluation_share:.0f} a day are kept for evaluation"
        if not labels.table
        else ""
    )
    print(
        f"An alert retrains on the labels of {retraining.days_back} days{kept}; trainer: {retraining.trainer or whom}; promotion: "
        f"{retraining.promotion}"
    )
    warnings = _of_trainer(retraining.trainer)
    if not labels.table:  # how many labels a table will have, nobody knows
        sizes = promotable.sizes_of(monitor, images, of_champion)
        print(promotable.said(config, sizes))
        cost = cost_of(images + labels.extra_for_training, labels).total
        evaluation = images * retraining.evaluation_share
        warnings = [*_warnings(config, images, cost, evaluation), *promotable.warnings(config, sizes), *warnings]
    for warning in warnings:
        print(f"Warning: {warning}")


def _table(table: LabelTableConfig, labels: LabelsConfig) -> str:
    where = f"the query at the connection {table.connection}" if table.query else table.path
    checked = f"; people check it by {labels.check_with}" if labels.check_with else ""
    return (
        f"Labels come from a table, {where}, for up to {labels.wait_days} days after the day; it covers {table.covers} of a day's "
        f"images{checked}"
    )


def _server(monitor: MonitorStore) -> str:
    """What answers the days. It is asked last: a laptop may not reach it."""
    from driftwatch.models.endpoint_champion import look_at_endpoint

    who, plan = look_at_endpoint(monitor)
    endpoint = monitor.config.model.endpoint
    assert endpoint
    images = plan.images or min(endpoint.images_per_request, monitor.config.model.batch_size)
    return (
        f"Days are answered by {who}: its input {plan.input!r} takes {plan.datatype}, its output is {plan.output or 'the only one'}; {images} "
        f"images a request, {endpoint.requests_at_once} requests at once"
    )


def _reached(options: argparse.Namespace) -> MonitorStore:
    """The monitor. If its storage cannot be read, what the file alone says is printed before the error: a laptop often has no login there."""
    try:
        return monitor_of(options)
    except StorageFailed:
        config = load_monitor(options.monitor)
        print(f"{options.monitor}: every setting is allowed. Monitor {config.name}: {', '.join(config.classes)}")
        if config.labels.people and config.labels.sample_size != "auto":
            print(_cost(config.labels.sample_size, config.labels))
        print("Not checked, as the storage cannot be read: whether the champion is the model that the file describes")
        raise


def _cost(images: int, annotation: LabelsConfig) -> str:
    from driftwatch.labels.money import cost_of

    images += annotation.extra_for_training
    cost = cost_of(images, annotation)
    work = f"{cost.pages} pages, {cost.total:.2f} USD with the fee"
    if cost.hours is not None:
        work = f"{cost.hours:.1f} hours of people's time, {cost.total:.2f} USD"
    return (
        f"A day of {images} labelled images: {work} "
        f"(limit {annotation.max_cost_per_day:.2f}); 30 such days {30 * cost.total:.2f} USD (limit {annotation.max_cost_per_month:.2f})"
    )


def _of_trainer(name: str | None) -> list[str]:
    """That a team's own trainer is not installed on this machine, where that is so."""
    from driftwatch.models.training.base import trainer

    if name in (None, KERAS, HANDOVER):
        return []
    try:
        trainer(name)
    except ConfigError as error:
        return [f"{error}. The workers need it when an alert comes"]
    return []


def _warnings(config: MonitorConfig, images: int, daily_cost: float, evaluation: float) -> list[str]:
    """What is allowed, and yet will not work as hoped."""
    annotation = config.labels
    found = []
    if daily_cost > annotation.max_cost_per_day:
        found.append("a full day costs more than labels.max_cost_per_day: such days will be refused")
    if 30 * daily_cost > annotation.max_cost_per_month:
        days = int(annotation.max_cost_per_month / daily_cost)
        found.append(f"labels.max_cost_per_month is enough for {days} full days of a month: later ones will be refused")
    if images < config.performance.min_labels:
        found.append("labels.sample_size is below performance.min_labels: no day will ever have a verdict")
    needed = config.retraining.min_evaluation_labels
    if evaluation < needed:
        found.append(
            f"one day leaves {evaluation:.0f} images for the gate, which needs {needed}: a single alert cannot promote a model"
        )
    return found
