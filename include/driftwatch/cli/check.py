"""`driftwatch check`: what a monitor file would do and cost, without doing it."""

from __future__ import annotations

import argparse
import shlex
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import MonitorStore
from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.config import LabelsConfig
from driftwatch.config.label_table import UNKNOWN
from driftwatch.config.loader import load_monitor
from driftwatch.config.model import CHAMPION, ENDPOINT, LOGGED
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
    from driftwatch.drift.whylogs_profiles import makes_profiles
    from driftwatch.models.as_trained import refuse_other_champion
    from driftwatch.models.registry import card, champion

    monitor = _reached(options)
    config = monitor.config
    makes_profiles(config.publish.sinks)
    refuse_other_champion(monitor)
    current = champion(monitor)
    of_champion = card(monitor, current.version) if current else None
    print(f"{options.monitor}: valid. Monitor {config.name}: {', '.join(config.classes)}")
    print(
        f"Runs {config.schedule.delivery_hours:g} h after each UTC day from {config.schedule.start_date}; {_images(monitor)}"
    )
    first = "train" if config.model.predictions == CHAMPION else "import"
    answers = " --answers FILE" if config.model.predictions == LOGGED else ""
    begin = f"none yet; run driftwatch champion {first} {shlex.quote(str(options.monitor))} --images FOLDER{answers}"
    begin += ", or champion import with your own model's file" if first == "train" else ""
    print(f"Champion: {current.version if current else begin}")
    if config.schedule.start_date > datetime.now(timezone.utc).date():
        print(
            f"Warning: schedule.start_date {config.schedule.start_date} is still to come: no day before it is monitored"
        )
    if config.labels.labelled:
        _say_labels(monitor, of_champion)
    else:
        print("Labels: none. Drift is watched; nobody can tell how accurate the model is, and nothing is retrained")
    if config.model.predictions == ENDPOINT:
        print(_server(monitor))


def _images(monitor: MonitorStore) -> str:
    layout, storage = monitor.config.images.layout, monitor.storage
    artifacts = f"artifacts in {storage.url(monitor.keys.monitor)}"
    if layout is None:
        return f"images in {storage.url(monitor.keys.incoming)}/{{day}}, {artifacts}"
    named = ""
    if layout.inventory:
        later = layout.inventory.days_later
        named = f", named by {storage.url(layout.inventory.path)}{f' (days_later: {later})' if later else ''}"
    return f"images in {', '.join(map(storage.url, layout.paths))}{named}, which are only read; {artifacts}"


def _say_labels(monitor: MonitorStore, of_champion: ModelCard | None) -> None:
    """Where labels come from, what they cost, and what they are enough for."""
    from driftwatch.doctor.sizes import images_a_day, months_cost, size_findings
    from driftwatch.models.trainers import trainer_name
    from driftwatch.view.doctor import cost_words, said_of

    config = monitor.config
    labels, retraining = config.labels, config.retraining
    images = images_a_day(config, of_champion)
    if labels.table:
        print(_table(labels.table, labels))
    if labels.people:
        print(cost_words(months_cost(config, images)))
    first = KERAS if config.model.predictions == CHAMPION else HANDOVER  # what `champion train` or `import` will make
    whom = trainer_name(monitor) if of_champion else first
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
    warnings = [*_of_people(labels), *_of_trainer(retraining.trainer)]
    if not labels.table:  # how many labels a table will have, nobody knows
        found = [*size_findings(monitor, of_champion)]
        print(*(said_of(one) for one in found if one.check == "gate" and one.state == "ok"), sep="\n")
        warnings = [*(said_of(one) for one in found if one.state != "ok"), *warnings]
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
        from driftwatch.doctor.sizes import images_a_day, months_cost
        from driftwatch.view.doctor import cost_words

        config = load_monitor(options.monitor)
        print(f"{options.monitor}: every setting is allowed. Monitor {config.name}: {', '.join(config.classes)}")
        if config.labels.people and config.labels.sample_size != "auto":
            print(cost_words(months_cost(config, images_a_day(config, None))))
        print("Not checked, as the storage cannot be read: whether the champion is the model that the file describes")
        raise


def _of_people(labels: LabelsConfig) -> list[str]:
    """That what speaks with the label service is not installed on this machine, where that is so."""
    from driftwatch.labels.backends.base import SEAM

    try:
        if labels.people:
            SEAM.find(labels.people)
    except ConfigError as error:
        return [f"{error}. The workers of the annotation steps need it"]
    return []


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
