"""The kinds of drift are told apart, in the report and in the alerts."""

from __future__ import annotations

from datetime import date

import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.view.report import write_report
from driftwatch.view.report.drift import kinds, sample
from driftwatch.view.summary import alert_text
from driftwatch.view.words import headline

DAY = date(2026, 1, 5)
TREND = {
    "verdict": "drifted",
    "days": 40,
    "score": 18.2,
    "limit": 16.6,
    "false_alarms_per_year": 0.2,
    "feature": "image.Sharpness.laplacian",
    "direction": "down",
    "since": "2025-12-20",
    "crossed": True,
}
CALM = {
    "day": "2026-01-05",
    "verdict": "ok",
    "p_value": 0.3,
    "false_alarm_rate": 0.005,
    "day_false_alarm_rate": 0.01,
    "n": 100,
    "effective_n": 100,
    "features": [],
    "drifted_features": [],
    "examples": [],
    "reference_version": "v1",
    "trend": {**TREND, "verdict": "ok", "crossed": False},
}
ANSWERS = {
    "day": "2026-01-05",
    "reference_version": "v1",
    "reference_images": 400,
    "day_false_alarm_rate": 0.01,
    "content": {
        "verdict": "drifted",
        "p_value": 0.0002,
        "false_alarm_rate": 0.0025,
        "n": 100,
        "effective_n": 61,
        "features": [{"feature": "distance", "direction": "up", "verdict": "drifted"}],
        "examples": [],
    },
    "predictions": {
        "verdict": "drifted",
        "p_value": 0.0001,
        "false_alarm_rate": 0.0025,
        "n": 100,
        "effective_n": 61,
        "classes": [{"name": "cat", "reference": 0.5, "day": 0.89}, {"name": "dog", "reference": 0.5, "day": 0.11}],
    },
}


def test_each_kind_has_its_own_row_and_the_unknown_ones_none():
    assert kinds(None, None) == []
    assert [(row["name"], row["verdict"]) for row in kinds(CALM, ANSWERS)] == [
        ("Image quality", "as usual"),
        ("Content", "changed"),
        ("Predictions", "changed"),
        ("Trend over days", "as usual"),
    ]
    creeping = kinds({**CALM, "trend": TREND}, None)[-1]
    assert creeping["finding"] == "fine detail falls slowly, about since 2025-12-20"
    assert "0.2 false alarms a year at most" in creeping["evidence"]


def test_too_little_evidence_is_said_with_its_reason():
    content = {"verdict": "not_enough_evidence", "p_value": None, "reason": "v1 has 12 held-out images"}
    row = kinds(CALM, {**ANSWERS, "content": content})[1]
    assert (row["tone"], row["evidence"]) == ("unsure", "v1 has 12 held-out images")


def test_a_burst_shows_in_the_count():
    assert sample({"n": 100, "effective_n": 61}) == "100 images, worth 61 independent ones (bursts or groups)"
    assert sample({"n": 100, "effective_n": 100}) == "100 images"


def test_a_day_of_another_mix_says_with_how_much_of_the_reference_it_was_compared():
    mixed = {**ANSWERS, "content": {**ANSWERS["content"], "reference_of_mix": 214}}
    said = "against the 214 reference images that have the day's mix of classes"
    assert said in kinds(CALM, mixed)[1]["evidence"]
    assert said in alert_text("drift", {"monitor": "cats", "day": "2026-01-05", **mixed})[1]
    assert "mix" not in kinds(CALM, ANSWERS)[1]["evidence"]


def test_the_headline_of_a_calm_day_does_not_hide_other_drift():
    ingest = {"accepted": 100, "listed": 100}
    assert headline(ingest, CALM, None, None).startswith("The images look as usual;")
    said = headline(ingest, {**CALM, "trend": TREND}, None, ANSWERS)
    assert "quality is as usual, their content changed, the model's answers shifted and they change slowly" in said


def test_alerts_say_which_kind():
    subject, message = alert_text("drift", {"monitor": "cats", "day": "2026-01-05", **ANSWERS})
    assert "The content changed (images unlike those that the model was tested on)" in subject
    assert "cat 50 % → 89 %" in subject
    assert "400 held-out images of model v1" in message
    assert "1 %" in message
    subject, message = alert_text("drift", {"monitor": "cats", "day": "2026-01-05", **CALM, "trend": TREND})
    assert "The images change slowly: fine detail falls slowly, about since 2025-12-20" in subject
    assert "CUSUM 18.2, alarm above 16.6" in message


@pytest.mark.parametrize("until", ["drift", "performance"])
def test_the_report_shows_every_kind_and_the_uncalibrated_distance(build_day, storage, config, until):
    layout = MonitorKeys(config.name)
    build_day(DAY, until=until, damaged=True)
    content = {**ANSWERS["content"], "examples": storage.read_json(layout.day(DAY).drift)["examples"][:2]}
    storage.write_json(layout.day(DAY).content_drift, {**ANSWERS, "content": content})
    html = storage.read_bytes(write_report(monitor_store(storage, layout, config), DAY)).decode()
    for words in ("Image quality", "Content", "Predictions", "Trend over days", "cat 50 % → 89 %", "Hellinger"):
        assert words in html
    assert "Content: changed" in html
    assert "Most typical of the change of content" in html
