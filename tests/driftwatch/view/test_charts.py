"""The report's charts: whole SVG whatever the numbers, escaped, nothing drawn that was not measured, nothing by colour alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, typed

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.parts import Interval
from driftwatch.config import MonitorConfig
from driftwatch.view import charts
from driftwatch.view.days import Day
from driftwatch.view.series import Series, series


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


def drawn(svg: str) -> ElementTree.Element:
    """The chart, parsed; fails where it is no whole XML, or has a number that is none."""
    assert "nan" not in svg
    assert "inf" not in svg
    return ElementTree.fromstring(svg)


def of_kind(chart: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [element for element in chart.iter() if element.get("class") == kind]


def texts(chart: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in chart.iter() if element.tag in ("text", "title")]


def share(value: float) -> dict[str, Any]:
    return {"value": value, "low": max(0, value - 0.05), "high": min(1, value + 0.05), "n": 60}


def days_of(
    config: MonitorConfig, verdicts: Sequence[str | None], versions: Sequence[str] = (), **changes: Any
) -> Series:
    """A day for each verdict of the model; None for one that nobody labelled."""
    rows = [
        Day(
            DAY + timedelta(days=place),
            ingest=typed(Ingest, samples.INGEST, model_version=versions[place] if versions else "v1"),
            performance=typed(Performance, samples.PERFORMANCE, verdict=verdict, **changes) if verdict else None,
        )
        for place, verdict in enumerate(verdicts)
    ]
    return series(rows, config)


def test_bands_of_equal_numbers_are_drawn() -> None:
    chart = drawn(charts.bands([3.0] * 5, [3.0] * 5, moved=False))
    assert len(of_kind(chart, "mark")) == 2
    assert "median 3 in the reference, 3 today" in (chart.get("aria-label") or "")


def test_bands_say_where_the_day_moved() -> None:
    moved, same = (drawn(charts.bands([0, 1, 2, 3, 4], [5, 6, 7, 8, 9], moved)) for moved in (True, False))
    assert (len(of_kind(moved, "moved")), len(of_kind(same, "moved"))) == (2, 0)
    assert moved.get("aria-label") == "median 2 in the reference, 7 today; bands 0 to 4 and 5 to 9"


def test_an_undefined_share_has_no_bar() -> None:
    assert charts.interval_bar(Interval(value=None, low=None, high=None)) == ""
    (mark,) = of_kind(drawn(charts.interval_bar(Interval(value=0.0, low=0.0, high=0.03))), "mark")
    assert mark.get("x1") == "0.00%"


def test_parts_fill_the_bar_and_what_is_none_is_said_and_not_drawn() -> None:
    chart = drawn(charts.parts({"accepted": 900, "duplicate": 0, "quarantined": 100}))
    assert [bar.get("class") for bar in chart] == ["accepted", "quarantined"]
    assert [bar.get("width") for bar in chart] == ["89.70%", "9.70%"]
    assert chart.get("aria-label") == "900 accepted, 0 duplicate, 100 quarantined"


def test_a_day_without_files_has_an_empty_bar() -> None:
    assert len(drawn(charts.parts({"accepted": 0, "quarantined": 0}))) == 0


def test_a_day_that_nobody_labelled_has_no_mark_and_keeps_its_place(config: MonitorConfig) -> None:
    chart = drawn(charts.history(days_of(config, ["ok", None, "ok"]), floor=0.7))
    dots = [found.get("x") for found in chart.iter() if found.tag == "svg" and found.get("overflow")]
    assert dots == ["20.83%", "84.17%"]
    assert [text for text in texts(chart) if text in ("5", "6", "7")] == ["5", "6", "7"]


def test_an_alert_differs_by_its_shape(config: MonitorConfig) -> None:
    chart = drawn(charts.history(days_of(config, ["ok", "alert", "not_enough_evidence"]), floor=0.7))
    marks = [(found.tag, found.get("class")) for found in chart.iter() if "dot" in (found.get("class") or "")]
    assert marks == [("circle", "dot ok"), ("path", "dot alert"), ("circle", "dot not_enough_evidence")]


@pytest.mark.parametrize(("value", "floor"), [(0.02, 0.7), (0.99, 0.0), (0.5, 1.0), (1.0, 0.05)])
def test_every_mark_and_the_floor_lie_within_the_chart(config: MonitorConfig, value: float, floor: float) -> None:
    chart = drawn(charts.history(days_of(config, ["ok"], accuracy=share(value)), floor))
    (line,), (whisker,) = of_kind(chart, "floor"), of_kind(chart, "whisker ok")
    height = float(chart.get("height") or 0)
    for y in (line.get("y1"), whisker.get("y1"), whisker.get("y2")):
        assert 34 <= float(y or -1) <= height - 40


def test_a_takeover_is_drawn_once_and_its_name_is_text(config: MonitorConfig) -> None:
    chart = drawn(charts.history(days_of(config, ["ok"] * 3, versions=["v1", "v2 <&>", "v2 <&>"]), floor=0.7))
    assert len(of_kind(chart, "takeover")) == 1
    assert "new model v2 <&>" in texts(chart)


def test_a_month_is_named_where_it_begins(config: MonitorConfig) -> None:
    chart = drawn(charts.history(days_of(config, ["ok"] * 30), floor=0.7))
    assert [text for text in texts(chart) if text in ("Jan", "Feb")] == ["Jan", "Feb"]


def features_of(config: MonitorConfig, rows: Sequence[dict[str, Any]]) -> Series:
    return series(
        [
            Day(DAY + timedelta(days=place), drift=typed(DayDrift, samples.DAY_DRIFT, features=[row]))
            for place, row in enumerate(rows)
        ],
        config,
    )


def test_a_feature_that_was_never_tested_has_no_chart(config: MonitorConfig) -> None:
    found = features_of(config, [{**samples.DAY_DRIFT["features"][0], "day_quantiles": []}])
    (feature,) = found.features.values()
    assert charts.over_time(found, feature) == ""


def test_only_tested_days_are_drawn_and_drifted_ones_are_marked_and_counted(config: MonitorConfig) -> None:
    row = samples.DAY_DRIFT["features"][0]
    rows = [{**row, "verdict": "ok"}, {**row, "day_quantiles": []}, {**row, "verdict": "drifted"}]
    found = features_of(config, rows)
    (feature,) = found.features.values()
    chart = drawn(charts.over_time(found, feature))
    assert len(of_kind(chart, "reference")) == 2
    assert len(of_kind(chart, "dot moved")) == 1
    assert chart.get("aria-label") == f"{feature.name} of the last 3 days, 1 drifted"
