"""What a day may cost, by itself and among the days of its month."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import DamagedArtifact
from driftwatch.labels.money import OverBudget, cost_of, counted, images_for, spent_in_month

from ..artifacts import samples
from .planning import DAY, changed, of_day, plan, planned_to_cost, write_manifest

FIRST = date(2026, 11, 1)


def test_the_cost_counts_overlap_pages_and_fee(monitor):
    cost = cost_of(40, monitor.labels)
    assert cost.pages == 5 * 3
    assert cost.total == pytest.approx(15 * 0.05 * 1.2)
    assert cost.control_share == 0.1


@pytest.mark.parametrize("tasks_per_page", [1, 2, 9])
def test_a_sum_buys_the_images_that_it_pays_for_and_not_one_more(monitor, tasks_per_page):
    settings = monitor.labels.model_copy(update={"tasks_per_page": tasks_per_page})
    for usd in (0.0, 0.17, 0.18, 0.19, 1.0, 4.0):
        images = images_for(usd, settings)
        assert cost_of(images, settings).total <= usd < cost_of(images + 1, settings).total


def test_a_day_above_its_limit_is_refused_before_anything_is_created(storage, monitor):
    with pytest.raises(OverBudget, match=r"would cost 0\.90 USD, above labels\.max_cost_per_day 0\.50"):
        plan(storage, changed(monitor, max_cost_per_day=0.5))


def test_the_month_counts_its_other_days_alone(storage, monitor):
    for other, spent in ((FIRST, 4.0), (date(2026, 10, 31), 100.0)):
        planned_to_cost(storage, monitor, other, spent)
    tight = changed(monitor, max_cost_per_month=4.5)
    with pytest.raises(OverBudget, match=r"would bring 2026-11 to 4\.90 USD"):
        plan(storage, tight)
    assert plan(storage, monitor).cost.total == 0.9
    ended = {**samples.PLAN, "state": "closed", "progress": {**samples.PROGRESS, "spent": 0.1}}
    storage.write_json(MonitorKeys(monitor.name).day(FIRST).annotation, ended)
    assert plan(storage, tight).cost.total == 0.9


def test_a_limit_that_is_reached_to_the_cent_is_kept_and_days_that_asked_nobody_cost_nothing(storage, monitor):
    planned_to_cost(storage, monitor, FIRST, 4.0)
    write_manifest(storage, MonitorKeys(monitor.name), date(2026, 11, 2), 3)
    limits = {"max_cost_per_day": 0.9, "max_cost_per_month": 4.9}
    exact = changed(monitor, **limits)
    assert plan(storage, exact).cost.total == 0.9
    for limit in limits:
        with pytest.raises(OverBudget, match=rf"above labels\.{limit} {limits[limit] - 0.01:.2f}"):
            plan(storage, changed(exact, **{limit: limits[limit] - 0.01}))


def test_a_day_that_is_closed_counts_with_what_it_cost_and_another_with_what_it_is_planned_to():
    assert counted("closed", 4.0, 0.0) == 0.0
    assert counted("opened", 4.0, 0.5) == 4.0
    assert counted("closed", 4.0, None) is None


@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        ([], "holds a list"),
        ({**samples.PLANNED, "state": "closed"}, "does not say what its labels cost"),
        ({**samples.PLAN, "cost": 4}, "cost: "),
    ],
)
def test_a_plan_of_the_month_that_does_not_say_what_it_cost_is_named(storage, monitor, damaged, said):
    storage.write_json(MonitorKeys(monitor.name).day(FIRST).annotation, damaged)
    with pytest.raises(DamagedArtifact, match=rf"days/2026-11-01/annotation\.json.*{said}.*delete it and clear"):
        spent_in_month(of_day(storage, monitor, DAY))
