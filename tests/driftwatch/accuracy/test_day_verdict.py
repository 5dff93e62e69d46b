"""Which days are judged together, and what of them is judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from driftwatch.accuracy.day_verdict import judge_day
from driftwatch.accuracy.evidence import Evidence
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.config import MonitorConfig
from driftwatch.models.metrics import wilson
from driftwatch.storage import Storage

from .days import HOLDOUT, evaluated, with_settings, write_small_day
from .simulated import simulated


def scored(evidence: Evidence, number: int = 20, version: str = "v1", classes=("cat", "dog")) -> ScoredDay:
    return ScoredDay(date(2026, 1, number), version, classes, evidence)


def past(day: ScoredDay, fired: bool = False, usual: float | None = None) -> PastDay:
    return PastDay(**vars(day), fired=fired, usual=usual)


def evidence_of(accuracy: float, n: int = 200, control: int = 400, seed: int = 0) -> Evidence:
    return simulated(np.random.default_rng(seed), accuracy, 0.05, 0.1, n=n, control=control)[0]


def test_days_with_few_labels_are_judged_together_as_far_as_the_same_model_answered(
    storage: Storage, monitor: MonitorConfig
) -> None:
    found = {}
    for number, version in ((5, "v0"), (6, "v1"), (7, "v1"), (8, "v1"), (9, "v1")):
        day = write_small_day(storage, monitor, number, labels=12, wrong=6, version=version)
        found[number] = evaluated(storage, day, monitor)
    assert found[7].verdict == "not_enough_evidence"
    assert found[7].reasons == (
        "24 labels on the 2 days that may be judged together; a verdict needs 30 (performance.min_labels).",
    )
    assert found[8].pooled_days == (date(2026, 1, 6), date(2026, 1, 7), date(2026, 1, 8))
    assert (found[8].verdict, found[8].judged.n) == ("alert", 36)
    assert "on 36 labels of 3 days" in found[8].reasons[0]
    assert found[9].pooled_days == (
        date(2026, 1, 7),
        date(2026, 1, 8),
        date(2026, 1, 9),
    )  # no more days than are needed
    alone = monitor.model_copy(update={"performance": monitor.performance.model_copy(update={"pool_days": 1})})
    assert evaluated(storage, DayKeys("demo", date(2026, 1, 9)), alone).verdict == "not_enough_evidence"


def test_the_agreement_is_judged_where_the_file_says_so_or_nothing_tells_how_many_labels_are_wrong(
    monitor: MonitorConfig,
) -> None:
    known, blind = scored(evidence_of(0.9)), scored(evidence_of(0.9, control=0))
    assert judge_day(known, [], monitor, HOLDOUT).verdict.accuracy.kind == "corrected"
    measured = judge_day(known, [], with_settings(monitor, judge="measured"), HOLDOUT)
    assert measured.verdict.accuracy.kind == "measured"
    assert measured.corrected.label_error is not None  # told beside it
    without = judge_day(blind, [], monitor, HOLDOUT)
    assert (without.verdict.accuracy.kind, without.corrected.label_error) == ("measured", None)


def test_days_of_other_classes_are_not_pooled(monitor: MonitorConfig) -> None:
    today = scored(evidence_of(0.9, n=20))
    same, other = (scored(evidence_of(0.9, n=20), 19, classes=names) for names in (("cat", "dog"), ("dog", "cat")))
    assert judge_day(today, [past(same)], monitor, HOLDOUT).pooled_days == (same.day, today.day)
    assert judge_day(today, [past(other)], monitor, HOLDOUT).pooled_days == (today.day,)


def test_people_are_known_by_days_of_other_models_too(monitor: MonitorConfig) -> None:
    today, before = scored(evidence_of(0.9, control=0)), scored(evidence_of(0.9), 19, version="v0")
    found = judge_day(today, [past(before)], monitor, HOLDOUT)
    assert found.pooled_days == (today.day,)
    assert found.corrected.label_error is not None


def test_a_day_rests_on_how_often_the_rules_fired_before_with_the_same_model(monitor: MonitorConfig) -> None:
    twice = with_settings(monitor, policy=("floor", "drop"), persistence=2, persistence_days=2)
    today, before = scored(evidence_of(0.6)), scored(evidence_of(0.6), 19)
    assert judge_day(today, [past(before, fired=True)], twice, HOLDOUT).verdict.verdict == "alert"
    other = past(scored(evidence_of(0.6), 19, version="v0"), fired=True)
    assert judge_day(today, [other], twice, HOLDOUT).verdict.verdict == "not_enough_evidence"
    # Neither is another version of production's the same model.
    served = replace(today, serving_version="8")
    alone, same = (past(replace(before, serving_version=name), fired=True) for name in ("7", "8"))
    assert judge_day(served, [alone], twice, HOLDOUT).verdict.verdict == "not_enough_evidence"
    assert judge_day(served, [same], twice, HOLDOUT).verdict.verdict == "alert"
    # A day without labels does not count among the last days with labels.
    nobody = past(scored(replace(evidence_of(0.6), confusion=np.zeros((2, 2), dtype="int64")), 19))
    assert judge_day(today, [past(before, fired=True), nobody], twice, HOLDOUT).verdict.verdict == "alert"


def test_the_usual_agreement_is_the_holdouts_lower_end_less_what_wrong_labels_take(monitor: MonitorConfig) -> None:
    today = scored(evidence_of(0.9))
    assert judge_day(today, [], monitor, HOLDOUT).usual is None
    trend = with_settings(monitor, policy=("trend",))
    low, _ = wilson(HOLDOUT.value, HOLDOUT.n, 0.95)
    assert judge_day(today, [], with_settings(trend, judge="measured"), HOLDOUT).usual == pytest.approx(low, abs=1e-6)
    corrected = judge_day(today, [], trend, HOLDOUT)
    error = corrected.corrected.label_error.high
    assert corrected.usual == pytest.approx(low * (1 - error) + (1 - low) * error, abs=1e-6)


def test_a_decline_over_the_days_of_one_model_alerts(monitor: MonitorConfig) -> None:
    trend = with_settings(monitor, policy=("trend",), judge="measured")
    before = [past(scored(evidence_of(0.8, seed=number), number), usual=0.87) for number in range(5, 15)]
    found = judge_day(scored(evidence_of(0.8)), before, trend, HOLDOUT).verdict
    assert (found.verdict, found.rules.trend.fires, found.rules.trend.days) == ("alert", True, 11)
    others = [PastDay(**{**vars(day), "model_version": "v0"}) for day in before]
    assert judge_day(scored(evidence_of(0.9)), others, trend, HOLDOUT).verdict.rules.trend.days == 1
