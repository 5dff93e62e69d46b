"""The overview's row of a monitor: badges, the month's spend, the calendar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, a_day, content, typed
from tests.driftwatch.view.version_days import EIGHT, SEVEN, performance
from tests.stores import monitor_store

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.days import Day, read_days
from driftwatch.view.overview import calendar, drift_badges, overview
from driftwatch.view.shares import accuracy_text
from driftwatch.view.spend import Spend, spend_of_month
from driftwatch.view.versions import lines

LAYOUT = MonitorKeys("demo")


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


def test_the_row_has_the_newest_day_and_the_newest_that_is_measured(config: MonitorConfig) -> None:
    days = [a_day(DAY, "ok", "alert"), a_day(DAY + timedelta(days=1), "ok")]
    found = overview(days, config, "v2")
    assert (found.last, found.champion, found.problem) == (days[1], "v2", None)
    assert found.measured is not None
    assert days[0].performance is not None
    assert (found.measured.day, found.measured.verdict.word) == (DAY, "worse")
    assert found.measured.accuracy == accuracy_text(days[0].performance.accuracy)
    empty = overview([], config, None)
    assert (empty.last, empty.measured, empty.spend, empty.calendar.rows) == (None, None, None, [])


def test_the_row_has_a_line_for_each_version_that_answered(config: MonitorConfig) -> None:
    found = performance(SEVEN, EIGHT)
    measured = overview([replace(a_day(DAY, "ok", "ok"), performance=found)], config, "v2").measured
    assert measured is not None
    assert measured.versions == tuple(lines(found))
    alone = overview([a_day(DAY, "ok", "ok")], config, "v2").measured
    assert alone is not None
    assert alone.versions == ()


def test_badges_name_each_kind_that_drifted() -> None:
    moved = len(samples.DAY_DRIFT["drifted_features"]), len(samples.DAY_DRIFT["features"])
    day = a_day(drift="drifted", content_drift=content("drifted", "drifted"))
    said = [f"{moved[0]} of {moved[1]} moved", "content changed", "predictions changed"]
    assert [(badge.tone, badge.word) for badge in drift_badges(day)] == [("warn", word) for word in said]
    few = drift_badges(a_day(drift="not_enough_evidence"))
    assert [(badge.tone, badge.word) for badge in few] == [("unsure", "not enough evidence")]
    assert drift_badges(a_day()) == []


def test_the_calendar_has_a_row_for_each_weekday_and_a_place_for_each_day_between() -> None:
    days = [Day(DAY + timedelta(days=number)) for number in (2, 3, 11)]
    rows = calendar(days).rows
    assert [len(row) for row in rows] == [2] * 7
    assert rows[2] == [days[0], DAY + timedelta(days=9)]
    assert rows[4] == [DAY + timedelta(days=4), days[2]]
    assert rows[0] == [None, DAY + timedelta(days=7)]


def _plan(**changes: Any) -> dict[str, Any]:
    without = {name: value for name, value in samples.PLAN.items() if name not in ("progress", "close_reason")}
    return {**without, "cost": {**samples.PLAN["cost"], "total": 10.0}, **changes}


def test_the_months_spend_counts_the_newest_days_month_only(config: MonitorConfig) -> None:
    plan = typed(AnnotationPlan, _plan(state="opened", cost={**samples.PLAN["cost"], "total": 1.5}))
    days = [Day(day, annotation=plan) for day in (date(2026, 1, 30), date(2026, 2, 1), date(2026, 2, 2))]
    assert spend_of_month(days, config) == Spend("2026-02", paid=0.0, planned=3.0, counted=3.0, limit=300.0)


def test_a_months_labels_are_told_apart_as_paid_planned_and_counted(tmp_path: Path, config: MonitorConfig) -> None:
    artifacts = Artifacts(monitor_store(open_storage(f"file://{tmp_path}"), LAYOUT))
    storage = artifacts.storage
    closed, waiting, planned, damaged, more = (LAYOUT.day(DAY + timedelta(days=n)) for n in range(5))
    storage.write_json(closed.annotation, _plan(state="closed", progress={**samples.PROGRESS, "spent": 8.5}))
    # The last look came before the end.
    storage.write_json(closed.annotation_progress, {**samples.PROGRESS, "spent": 8.0})
    storage.write_json(waiting.annotation, _plan(state="opened"))
    storage.write_json(waiting.annotation_progress, {**samples.PROGRESS, "spent": 3.0})
    storage.write_json(planned.annotation, _plan(state="planned"))
    storage.write_json(damaged.annotation, {"state": "closed"})
    storage.write_json(damaged.annotation_progress, {**samples.PROGRESS, "spent": "much"})
    storage.write_json(more.annotation, _plan(state="closed", progress={**samples.PROGRESS, "spent": "much"}))
    found = spend_of_month(read_days(artifacts), config)
    assert found == Spend("2026-01", paid=11.5, planned=30.0, counted=28.5, limit=300.0)


@pytest.mark.parametrize(("state", "paid"), [("planned", 8.5), ("creating_pool", 8.5), ("opened", 9.5)])
def test_what_a_day_has_cost_does_not_double_when_late_images_are_planned(
    config: MonitorConfig, state: str, paid: float
) -> None:
    ended = {**samples.PROGRESS, "spent": 8.5}
    late = _plan(state=state, late={"number": 1, "images": 9, "share": 0.5}, sample_size={"images": 3})
    plan = typed(AnnotationPlan, _plan(state="closed", progress=ended, supplements=[late]))
    looked = typed(AnnotationProgress, ended if state != "opened" else {**ended, "spent": 1.0})
    found = spend_of_month([Day(DAY, annotation=plan, progress=looked)], config)
    assert found is not None
    assert found.paid == paid


def test_the_calendar_goes_on_to_the_days_that_should_have_begun_and_names_the_gaps(config: MonitorConfig) -> None:
    days = [Day(DAY), Day(DAY + timedelta(days=2))]
    at = datetime.combine(DAY + timedelta(days=6), time(12), timezone.utc)
    found = overview(days, config, None, at=at).calendar
    missing = [DAY + timedelta(days=number) for number in (1, 3, 4)]
    assert found.gaps == (*missing,)
    assert found.gaps_said == f"3 days never handled: {missing[1]} to {missing[2]} and {missing[0]}"
    assert [cell for row in found.rows for cell in row if isinstance(cell, date) and cell > days[-1].day] == missing[1:]
    ended = config.model_copy(update={"schedule": config.schedule.model_copy(update={"end_date": days[-1].day})})
    assert overview(days, ended, None, at=at).calendar.gaps == (missing[0],)
    assert overview(days, config, None).calendar.gaps_said == ""
