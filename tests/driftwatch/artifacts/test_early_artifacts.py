"""What the first days of version 0.1 left behind lacks fields that came later. It is read, reckoned with, and written again to the byte.

The first forms are those of the writers of their time: a plan without `creations`, a drift test without `effective_n`, a gate that had no
look at the classes, and so on.
"""

from __future__ import annotations

from datetime import date
from shutil import copytree
from typing import Any

import pytest
from tests.stores import day_store, monitor_store

from driftwatch.accuracy.history import days_before, performances, revisions
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.base import Artifact, read
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import DATASET_CARD, GATE, MonitorKeys
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.retraining import DatasetCard, GateResult
from driftwatch.drift.image_quality import _trend
from driftwatch.labels.money import spent_in_month
from driftwatch.labels.plan import describe
from driftwatch.models.as_trained import as_trained
from driftwatch.storage import Storage, open_storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.comparison import _change_of_class, _table
from driftwatch.view.days import read_days
from driftwatch.view.drift_words import sample
from driftwatch.view.model_page import models
from driftwatch.view.models import retrainings
from driftwatch.view.pictures import Picture
from driftwatch.view.report import report_page
from driftwatch.view.report.facts import gather

from . import samples

KEYS = MonitorKeys("demo")
DAY = KEYS.day(date.fromisoformat(samples.DAY))
FIRST = "v0001-0a1b2c3d"


def without(whole: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in whole.items() if name not in names}


PERFORMANCE = without(samples.EARLY, "merged_by", "severity", "fired", "content_hash")
_EVIDENCE = samples.PERFORMANCE["evidence"]
FIRST_EVIDENCE = {
    **samples.PERFORMANCE,
    "evidence": {**_EVIDENCE, "votes": without(_EVIDENCE["votes"], "control_squares", "spread")},
}
DRIFT = without(
    samples.DAY_DRIFT, "effective_n", "reference_of_mix", "day_false_alarm_rate", "hellinger", "day_scores", "trend"
)
PLAN = {
    **without(samples.PLAN, "sample_size", "exam", "exam_id", "creations", "close_reason", "progress"),
    "state": "opened",
    "cost": without(samples.PLAN["cost"], "tasks_per_page", "reward_per_page"),
}
_COUNTS = ("by_day_and_class", "by_agreement", "class_balance", "day_mix")
SET_CARD = without(samples.DATASET_CARD, *_COUNTS)
GATE_OF_PARTS = {
    **without(samples.GATE, "rules"),
    "recent": without(samples.GATE["recent"], "right"),
    "clean": without(samples.GATE["clean"], "right", "by_class"),
    "max_clean_drop": 0.02,
    "level": 0.95,
}
_CLASSES = {name: without(found, "p_value_worse", "power") for name, found in samples.GATE["clean"]["by_class"].items()}
GATE_OF_CLASSES = {**samples.GATE, "clean": {**samples.GATE["clean"], "by_class": _CLASSES}}
CARD = {
    **without(samples.CARD, "alerts"),
    "version": FIRST,
    "data": without(samples.CARD["data"], *_COUNTS),
    "recipe": {
        **without(samples.CARD["recipe"], "architecture", "small_share", "patience", "augmentation", "recent_share"),
        "small_epochs": 35,
    },
    "metrics": {"holdout": without(samples.CARD["metrics"]["holdout"], "mean_score")},
    "gate": GATE_OF_PARTS,
}


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        (Performance, PERFORMANCE),
        (Performance, FIRST_EVIDENCE),
        (DayDrift, DRIFT),
        (AnnotationPlan, PLAN),
        (DatasetCard, SET_CARD),
        (GateResult, GATE_OF_PARTS),
        (GateResult, GATE_OF_CLASSES),
        (ModelCard, CARD),
    ],
)
def test_an_early_file_is_read_and_written_again_as_it_was(storage, kind: type[Artifact], whole):
    storage.write_json("x.json", whole)
    expected = {**kind.upgraded({**whole}, 1), "schema_version": kind.VERSION}
    assert read(storage, "x.json", kind).stored() == expected


@pytest.mark.parametrize("whole", [PERFORMANCE, FIRST_EVIDENCE])
def test_an_early_day_is_not_reckoned_with_and_does_not_stop_the_next_one(storage, whole):
    storage.write_json(DAY.performance, whole)
    assert days_before(monitor_store(storage, KEYS), date(2026, 1, 9)) == []


def test_an_early_day_may_be_scored_again(storage):
    storage.write_json(DAY.performance, PERFORMANCE)
    (found,) = performances(monitor_store(storage, KEYS), date.min, date.max)
    assert (found.merged_by, found.severity, found.fired) == ("majority", None, False)
    assert revisions(found, found) == ()
    (changed,) = revisions(found, found.model_copy(update={"labels": found.labels + 1}))
    assert (changed.revision, changed.labels) == (1, found.labels)


def test_the_trend_passes_over_early_days(storage):
    storage.write_json(DAY.drift, DRIFT)
    early = read(storage, DAY.drift, DayDrift)
    assert (early.effective_n, early.day_false_alarm_rate) == (early.n, early.false_alarm_rate)
    assert sample(early) == f"{early.n} images"
    scores = dict.fromkeys(("image.Contrast", "image.Entropy"), 0.1)
    today = early.model_copy(update={"day": date(2026, 1, 9), "day_scores": scores})
    assert _trend(monitor_store(storage, KEYS), today).days == 1


def test_an_early_plan_counts_in_its_month(storage):
    storage.write_json(DAY.annotation, PLAN)
    store = monitor_store(storage, KEYS)
    assert spent_in_month(store.day(date(2026, 1, 9))) == PLAN["cost"]["total"]
    plan = read(storage, DAY.annotation, AnnotationPlan)
    assert (plan.asked, plan.sample_size.images) == (True, len(PLAN["sample"]))
    assert "147 pages at 0.05 USD" in describe(plan, store.config.labels)


def test_an_early_champion_judges_days_and_is_shown(storage):
    storage.write_json(KEYS.model_card(FIRST), CARD)
    storage.write_json(KEYS.champion, {"version": FIRST, "previous": None})
    storage.write_json(KEYS.retraining("old", DATASET_CARD), SET_CARD)
    storage.write_json(KEYS.retraining("old", GATE), GATE_OF_PARTS)
    store = monitor_store(storage, KEYS)
    assert as_trained(store, FIRST).classes == tuple(CARD["classes"])
    (row,) = models(Artifacts(store))
    assert (row.state, row.gate is not None) == ("champion", True)
    assert [(found.run, found.decision) for found in retrainings(Artifacts(store))] == [
        ("old", samples.GATE["decision"])
    ]


def test_the_comparison_of_an_early_gate_has_no_test_of_classes(storage):
    storage.write_json("x.json", GATE_OF_CLASSES)
    found = read(storage, "x.json", GateResult)
    assert "by chance" not in _change_of_class(found.clean.by_class["cat"])
    assert len(_table(found.clean, tuple(samples.CARD["classes"]))) == 5


def test_the_pages_show_early_days_without_a_problem(storage):
    for key, whole in ((DAY.performance, PERFORMANCE), (DAY.drift, DRIFT), (DAY.annotation, PLAN)):
        storage.write_json(key, whole)
    (day,) = read_days(Artifacts(monitor_store(storage, KEYS)))
    assert day.problems == ()
    assert None not in (day.performance, day.drift, day.annotation)


def test_the_report_of_an_early_day_is_drawn(tmp_path):
    copytree(samples.FOLDER, tmp_path / "demo")
    storage = open_storage(f"file://{tmp_path}")
    for key, whole in ((DAY.performance, PERFORMANCE), (DAY.drift, DRIFT), (DAY.annotation, PLAN)):
        storage.write_json(key, whole)
    storage.write_json(KEYS.model_card(samples.VERSION), {**CARD, "version": samples.VERSION})
    storage.delete(DAY.content_drift)
    storage.delete(DAY.estimate)
    none: dict[str, list[Picture]] = {
        "drifted": [],
        "content": [],
        "reference": [],
        "disagreements": [],
        "undecided": [],
    }
    page = report_page(gather(day_store(storage, DAY)), none)
    assert "majority vote" in page
    assert f"{DRIFT['n']:,} images" in page
