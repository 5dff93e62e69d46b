"""What the report shows of the days before, and of what moved over them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from driftwatch.storage import Storage
from driftwatch.view.words import feature_name

from .pages import DAY, LAYOUT


def test_history_shows_fourteen_days_with_drift_and_the_model_that_took_over(
    build_day: Callable, report: Callable
) -> None:
    for back, version in ((20, "v1"), (13, "v1"), (2, "v1"), (0, "v2 <&>")):
        build_day(DAY - timedelta(days=back), damaged=back == 2, version=version)
    page = report()
    begins = [index for index, (tag, _) in enumerate(page.tags) if tag == "svg"]
    first = next(index for index in begins if page.tags[index][1].get("class") == "history")
    tags = page.tags[first : next(index for index in begins if index > first and "class" in page.tags[index][1])]
    chart = [
        attributes for tag, attributes in tags if tag in ("circle", "path") and "dot" in (attributes["class"] or "")
    ]
    assert len(chart) == 3  # the day twenty days ago is outside
    assert [attributes["class"] for _, attributes in tags if attributes.get("class") in ("drifted", "takeover")] == [
        "drifted",
        "takeover",
    ]
    assert "new model v2 <&>" in page.text
    assert "accuracy of the last 14 days" in [attributes.get("aria-label") for _, attributes in page.tags]


def test_what_moved_is_shown_over_the_days_with_the_medians_of_the_artifacts(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    for back in (2, 1, 0):
        build_day(DAY - timedelta(days=back), damaged=back == 0)
    page = report()
    shown = [
        entry["feature"]
        for entry in storage.read_json(LAYOUT.day(DAY).drift)["features"]
        if entry["verdict"] == "drifted"
    ]
    charts = [attributes for tag, attributes in page.tags if attributes.get("class") == "over-time"]
    assert len(charts) == min(4, len(shown)) > 0
    first = next(at for at, (_, attributes) in enumerate(page.tags) if attributes.get("class") == "over-time")
    end = next(
        (at for at, (tag, _) in enumerate(page.tags) if at > first and tag == "svg" and "class" in page.tags[at][1]),
        None,
    )
    across = [
        float((found["width"] or "").rstrip("%"))
        for _, found in page.tags[first:end]
        if found.get("class") == "reference"
    ]
    assert sum(across) == pytest.approx(95, abs=0.1)  # the reference lies behind every day
    for back in (2, 1, 0):
        day = DAY - timedelta(days=back)
        drift = storage.read_json(LAYOUT.day(day).drift)
        entry = next(entry for entry in drift["features"] if entry["feature"] == shown[0])
        said = f"{entry['day_quantiles'][2]:.3g}, reference {entry['reference_quantiles'][2]:.3g}, {entry['verdict']}"
        assert f"{day}: {feature_name(shown[0])} median {said}" in page.text


def test_a_quiet_day_shows_its_most_different_feature(build_day: Callable, report: Callable) -> None:
    build_day(DAY)
    assert [attributes["aria-label"] for _, attributes in report().tags if attributes.get("class") == "over-time"]
