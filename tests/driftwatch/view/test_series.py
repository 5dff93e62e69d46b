"""The days as columns: nulls for what was not measured, texts as they are read everywhere, takeovers and references by day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, a_day, typed

from driftwatch.artifacts.accuracy import Estimate, Performance
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.ingest import Ingest
from driftwatch.config import MonitorConfig
from driftwatch.view.answer_series import class_series
from driftwatch.view.days import Day
from driftwatch.view.series import Takeover, series, takeovers


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


def test_what_was_not_measured_is_null_and_never_zero(config: MonitorConfig) -> None:
    found = series([Day(DAY, ingest=typed(Ingest, samples.INGEST))], config)
    accuracy = found.performance.accuracy
    assert (accuracy.value, accuracy.low, accuracy.high, accuracy.text) == ([None], [None], [None], ["–"])
    assert found.performance.labels == found.performance.alpha == [None]
    assert (found.performance.counted, found.performance.corrected, found.performance.others) == ([False], None, {})
    assert (found.drift.verdict, found.features) == ([None], {})


@pytest.mark.parametrize(
    ("right", "text"), [(0.8125, "81.2 %"), (0.0625, "6.2 %"), (0.76666666, "76.7 %"), (1, "100 %")]
)
def test_a_share_has_its_text_beside_it(config: MonitorConfig, right: float, text: str) -> None:
    share = {**samples.PERFORMANCE["accuracy"], "value": right}
    found = series([Day(DAY, performance=typed(Performance, samples.PERFORMANCE, accuracy=share))], config)
    assert (found.performance.accuracy.value, found.performance.accuracy.text) == ([right], [text])


def test_a_takeover_is_the_first_day_of_another_model_and_a_gap_is_none() -> None:
    versions = ("v1", "v1", None, "v2", "v2", "v1")
    days = [
        Day(DAY + timedelta(days=n), ingest=typed(Ingest, samples.INGEST, model_version=version) if version else None)
        for n, version in enumerate(versions)
    ]
    assert takeovers(days) == [Takeover("2026-01-08", "v2"), Takeover("2026-01-10", "v1")]
    assert takeovers(days[:3]) == []


def test_a_takeover_is_the_first_day_of_another_version_of_productions_too() -> None:
    """Under one registered model. A day that is not answered yet, or whose estimate alone is there, is no change back."""
    days = [
        a_day(DAY, "ok", "ok"),
        a_day(DAY + timedelta(days=1), "ok"),
        a_day(DAY + timedelta(days=2), "ok", estimate=typed(Estimate, samples.ESTIMATE, serving_version="8")),
        a_day(DAY + timedelta(days=3), "ok", "ok"),
        a_day(DAY + timedelta(days=4), ingest=typed(Ingest, samples.INGEST, model_version="v2")),
    ]
    of_seven, of_eight = (typed(Performance, samples.PERFORMANCE, serving_version=name) for name in ("7", "8"))
    days[0], days[3] = replace(days[0], performance=of_seven), replace(days[3], performance=of_eight)
    assert takeovers(days) == [Takeover("2026-01-07", "8"), Takeover("2026-01-09", "v2")]
    registered = typed(Ingest, samples.INGEST).model_version
    assert [day.serving or day.version for day in days] == ["7", registered, "8", "8", "v2"]


def test_each_day_has_the_reference_that_it_was_tested_against(config: MonitorConfig) -> None:
    row = samples.DAY_DRIFT["features"][0]
    others = [1.0, 2.0, 3.0, 4.0, 5.0]
    rows = [row, {**row, "reference_quantiles": others}, row, {**row, "day_quantiles": []}]
    days = [
        Day(DAY + timedelta(days=n), drift=typed(DayDrift, samples.DAY_DRIFT, features=[found]))
        for n, found in enumerate(rows)
    ]
    found = series(days, config).features[row["feature"]]
    usual = tuple(row["reference_quantiles"])
    assert found.references == [usual, tuple(others)]  # each once, however many days
    assert found.reference_of == [0, 1, 0, None]
    assert [found.usual(place) for place in range(4)] == [usual, tuple(others), usual, None]


def test_the_estimate_of_a_judged_day_stands_in_for_a_lost_one(config: MonitorConfig) -> None:
    guess = {"value": 0.86, "low": 0.82, "high": 0.9, "n": 60}
    found = series([Day(DAY, performance=typed(Performance, samples.PERFORMANCE, estimated=guess))], config)
    assert found.performance.estimated is not None
    assert found.performance.estimated.text == ["86 %"]
    assert found.performance.others["estimated"] == "estimate from scores, without labels"


def test_a_matrix_of_other_classes_is_not_counted(config: MonitorConfig) -> None:
    day = a_day(performance="ok")
    assert series([day], config).performance.counted == [True]
    other = config.model_copy(update={"classes": ("cat", "dog", "horse")})
    assert series([day], other).performance.counted == [False]
    assert class_series([day], "horse").measures["recall"].value == [None]


def test_a_feature_says_what_its_numbers_are_and_what_a_change_looks_like(config: MonitorConfig) -> None:
    row = {**samples.DAY_DRIFT["features"][0], "feature": "image.Sharpness.noise", "direction": "up", "test": "ks"}
    days = [
        Day(DAY + timedelta(days=n), drift=typed(DayDrift, samples.DAY_DRIFT, features=[{**row, "verdict": verdict}]))
        for n, verdict in enumerate(("ok", "drifted"))
    ]
    found = series(days, config).features["image.Sharpness.noise"]
    assert (found.name, found.unit, found.higher) == ("noise", "log scale: 0.7 more is twice as much", "noisier")
    assert found.tip.startswith("image.Sharpness.noise: log noise level")
    assert found.looks == [None, "noisier"]
