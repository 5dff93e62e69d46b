"""Whether the numbers of a monitor file can ever give a verdict and a promotion, and what a month of labels costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.config.label_table import UNKNOWN
from driftwatch.doctor.results import CheckResult, ForGate, ForVerdict, MonthsCost, Promotion

if TYPE_CHECKING:
    from driftwatch.artifacts.models import ModelCard


def images_a_day(config: MonitorConfig, card: ModelCard | None) -> int:
    """How many images of a day people are asked about. With `auto`: for an interval of the wanted width, with as many right answers as the
    champion's `card` says, at worst half."""
    from driftwatch.labels.sample_size import expected_accuracy, images_for_width

    labels = config.labels
    if labels.sample_size != "auto":
        return labels.sample_size
    expected = expected_accuracy(card) if card else 0.5
    return images_for_width(labels.interval_width, expected, config.performance.confidence)


def months_cost(config: MonitorConfig, images: int) -> MonthsCost:
    """`images`: that people are asked about for the verdict; those for training come on top."""
    from driftwatch.labels.money import cost_of

    labels = config.labels
    whole = images + labels.extra_for_training
    return MonthsCost(whole, cost_of(whole, labels), labels.max_cost_per_day, labels.max_cost_per_month)


def size_findings(store: MonitorStore, card: ModelCard | None) -> Iterator[CheckResult]:
    """`card`: the champion's; None before the first. Nothing of a monitor without labels, and of the labels of a table only what people
    check: how many it will have, nobody knows."""
    config = store.config
    if not config.labels.labelled:
        return
    images = images_a_day(config, card)
    if config.labels.people:
        yield from cost_findings(months_cost(config, images))
    if config.labels.table is None:
        yield from _enough(store, images, card)
    elif config.labels.table.covers == UNKNOWN:
        yield CheckResult("gate", "look", facts=Promotion("no alert: retraining is started by hand alone"))


def cost_findings(cost: MonthsCost) -> Iterator[CheckResult]:
    """The cost against the limit of a day, and against that of a month."""
    if cost.day.total > cost.day_limit:
        yield CheckResult("cost", "wrong", "labels.max_cost_per_day", cost)
    if cost.month > cost.month_limit:
        yield CheckResult("cost", "look", "labels.max_cost_per_month", cost)
    if cost.day.total <= cost.day_limit and cost.month <= cost.month_limit:
        yield CheckResult("cost", "ok", facts=cost)


def _enough(store: MonitorStore, images: int, card: ModelCard | None) -> Iterator[CheckResult]:
    from driftwatch.models import promotable

    config = store.config
    needed, for_gate = config.performance.min_labels, config.retraining.min_evaluation_labels
    yield CheckResult("verdict", "wrong" if images < needed else "ok", facts=ForVerdict(images, needed))
    evaluation = images * config.retraining.evaluation_share
    yield CheckResult("evaluation", "look" if evaluation < for_gate else "ok", facts=ForGate(evaluation, for_gate))
    sizes = promotable.sizes_of(store, images, card)
    yield CheckResult("gate", "ok", facts=Promotion(promotable.said(config, sizes)))
    yield from (CheckResult("gate", "look", facts=Promotion(said)) for said in promotable.warnings(config, sizes))
