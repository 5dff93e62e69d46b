"""Reading WhyLabs' accuracy monitors back, over real HTTP: an anomaly, none, and "not analysed yet", which is neither."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.whylabs_server import upload_profile

from driftwatch.config.loader import load_monitor
from driftwatch.drift.whylogs_profiles import performance_profile
from driftwatch.publish.whylabs.analysis import accuracy_analyzers, read_analysis, sent_accuracy
from driftwatch.publish.whylabs.monitors import documents, put_documents
from driftwatch.view.analysis import reasons

DAY = date(2026, 1, 20)


def performance(right: int, of: int, day: date = DAY) -> bytes:
    return performance_profile(["cat"] * of, ["cat"] * right + ["dog"] * (of - right), [1.0] * of, day)


class Place:
    """A server with our monitors (floor 0.7), which analyses a day when it is told to."""

    def __init__(self, server: Any, monitor: Any) -> None:
        self.server, self.api, self.monitor = server, server.api(), monitor
        put_documents(self.api, documents(monitor, "ref-1"))

    def day(self, right: int, of: int = 10, day: date = DAY, analysed: bool = True) -> None:
        upload_profile(self.api, performance(right, of, day), day)
        if analysed:
            self.analyse(day)

    def analyse(self, day: date = DAY) -> None:
        self.server.http.post(f"/_sandbox/analyse?dataset=model-1&day={day}").raise_for_status()

    def window(self, *right: int) -> None:
        """Days of ten labels before DAY."""
        for number, count in enumerate(right, start=20 - len(right)):
            self.day(count, day=date(2026, 1, number), analysed=False)

    def read(self, accuracy: float) -> Any:
        return read_analysis(self.api, DAY, accuracy_analyzers(self.monitor), accuracy, in_words=reasons)


@pytest.fixture
def place(whylabs_servers, root: Path, tmp_path, monkeypatch) -> Place:
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    return Place(whylabs_servers(), load_monitor(root / "include/monitors/cats_vs_dogs.yaml"))


def test_a_day_without_a_row_is_not_analysed_rather_than_ok(place):
    assert place.read(0.8).verdict == "not_analysed"
    place.day(8, analysed=False)
    found = place.read(0.8)
    assert found.verdict == "not_analysed"
    assert found.reasons[0] == "cats_vs_dogs-accuracy-floor-analyzer has no result for 2026-01-20"
    place.analyse()
    assert place.read(0.8).verdict == "ok"


def test_below_the_floor_is_an_alert_even_where_the_window_is_too_short(place):
    place.day(6)
    found = place.read(0.6)
    assert found.verdict == "alert"
    assert found.reasons == ("WhyLabs' cats_vs_dogs-accuracy-floor-analyzer: accuracy 0.600 is below 0.700.",)


def test_a_window_that_is_too_short_is_said_and_the_floor_decides(place):
    place.window(9, 8)
    place.day(8)
    found = place.read(0.8)
    assert found.verdict == "ok"
    assert "InsufficientBaseline 2 values in the trailing window, 7 are needed" in found.reasons[1]


def test_a_drop_from_the_days_before_is_an_alert_above_the_floor(place):
    for number, right in enumerate([98, 97, 98, 97, 98, 97, 98], start=13):
        place.day(right, 100, date(2026, 1, number), analysed=False)
    place.day(80, 100)
    found = place.read(0.8)
    assert found.verdict == "alert"
    assert found.reasons[0].startswith("WhyLabs' cats_vs_dogs-accuracy-trend-analyzer: accuracy 0.800 is below 0.9")


def test_a_better_day_is_no_alert_where_somebody_made_the_window_two_sided(place):
    (trend,) = [found for found in documents(place.monitor, "ref-1")["analyzers"] if "trend" in found["id"]]
    del trend["config"]["thresholdType"]
    place.api.put_monitor_config("analyzer", trend)
    place.window(8, 7, 8, 7, 8, 7, 8)
    place.day(10)
    assert [row["isAnomaly"] for row in place.api.analysis_results(DAY, [trend["id"]])] == [True]
    assert place.read(1.0).verdict == "ok"


def test_an_analysis_of_other_data_than_was_uploaded_does_not_count(place):
    place.day(6)
    found = place.read(0.9)
    assert found.verdict == "not_analysed"
    assert "judged an accuracy of 0.6000, and 0.9000 was uploaded" in found.reasons[0]


def test_a_floor_that_could_not_be_computed_is_not_enough_evidence(place):
    (floor,) = [found for found in documents(place.monitor, "ref-1")["analyzers"] if "floor" in found["id"]]
    floor["config"]["metric"] = "classification.auc"
    place.api.put_monitor_config("analyzer", floor)
    place.day(9)
    found = place.read(0.9)
    assert found.verdict == "not_enough_evidence"
    assert "MetricException" in found.reasons[0]


def test_the_accuracy_is_the_uploaded_profiles_own():
    assert sent_accuracy(performance(37, 41)) == pytest.approx(37 / 41)
