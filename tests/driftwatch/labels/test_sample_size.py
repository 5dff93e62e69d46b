"""The number of labels for a wanted width is the smallest that gives it, within the budget."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.labels.money import OverBudget
from driftwatch.labels.sample_size import images_for_width
from driftwatch.models.metrics import share

from ..artifacts import samples
from .planning import DAY, changed, plan, planned_to_cost


@pytest.mark.parametrize(("width", "accuracy"), [(0.1, 0.9), (0.1, 0.5), (0.05, 0.7), (0.3, 1.0)])
def test_the_interval_is_as_narrow_as_wanted_and_would_not_be_with_fewer(width: float, accuracy: float) -> None:
    n = images_for_width(width, accuracy, 0.95)

    def wide(labels: int) -> float:
        around = [
            share(hits, labels, 0.95) for hits in (int(labels * accuracy), min(labels, int(labels * accuracy) + 1))
        ]
        below, above = (found.high - found.low for found in around)
        part = labels * accuracy % 1
        return (1 - part) * below + part * above

    assert wide(n) <= width + 1e-4
    assert wide(n - 1) > width - 1e-3


def automatic(storage, monitor, **annotation):
    """The plan by `sample_size: auto`, for a model whose holdout accuracy is 88 % or more."""
    layout = MonitorKeys(monitor.name)
    storage.write_json(layout.day(DAY).ingest, {**samples.INGEST, "model_version": "v1"})
    holdout = samples.CARD["metrics"]["holdout"]
    low = {**holdout, "accuracy": {**holdout["accuracy"], "low": 0.88}}
    storage.write_json(
        layout.model_card("v1"), {**samples.CARD, "metrics": {**samples.CARD["metrics"], "holdout": low}}
    )
    return plan(storage, changed(monitor, **{"sample_size": "auto", "interval_width": 0.3, **annotation}))


def test_auto_asks_for_what_the_width_needs(storage, monitor):
    small = automatic(storage, monitor, interval_width=0.2)
    assert small.sample_size.wanted == 42 == len(small.sample)
    assert len(automatic(storage, monitor, interval_width=0.16).sample) == 65


def test_auto_never_asks_for_fewer_than_a_verdict_needs(storage, monitor):
    found = automatic(storage, monitor, interval_width=0.5)
    assert found.sample_size.wanted < 30 == len(found.sample)


def test_auto_stays_within_the_days_limit_and_its_part_of_what_is_left_of_the_month(storage, monitor):
    found = automatic(storage, monitor, interval_width=0.1, max_cost_per_day=0.55)
    assert (len(found.sample), found.cost.total) == (27, 0.54)  # three pages of nine for three people
    planned_to_cost(storage, monitor, date(2026, 11, 1), 4.0)
    # 4 USD for the 11 days from the 20th
    found = automatic(storage, monitor, interval_width=0.1, max_cost_per_month=8.0)
    assert (len(found.sample), found.cost.total) == (18, 0.36)


def test_auto_without_money_for_a_single_image_is_refused(storage, monitor):
    with pytest.raises(OverBudget, match=r"above labels\.max_cost_per_day 0\.10: .*nothing was created"):
        automatic(storage, monitor, max_cost_per_day=0.1)


def test_auto_counts_what_a_label_was_worth_on_the_days_before(storage, monitor):
    layout = MonitorKeys(monitor.name)
    before = {**samples.PERFORMANCE, "model_version": "v1", "sampled": 100, "effective_labels": 80.0}
    storage.write_json(layout.day(date(2026, 11, 19)).performance, before)
    other = {**before, "model_version": "v0", "effective_labels": 9.0}
    storage.write_json(layout.day(date(2026, 11, 18)).performance, other)
    found = automatic(storage, monitor, interval_width=0.2)
    assert (found.sample_size.worth, len(found.sample)) == (0.8, 53)  # 42 / .8
