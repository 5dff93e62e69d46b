"""What the step tells that profiles the features."""

from __future__ import annotations

from datetime import date

import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts import base
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_airflow.operators.features import ProfileFeaturesOperator

DAY = "2026-11-20"


LAYOUT = MonitorKeys("cats_vs_dogs")


@pytest.mark.parametrize(
    ("verdict", "crossed", "told"), [("ok", False, []), ("ok", True, ["drift"]), ("drifted", False, ["drift"])]
)
def test_a_drifted_day_and_a_new_trend_are_told(delivered, monkeypatch, verdict, crossed, told):
    keys = LAYOUT.day(date(2026, 11, 20))
    trend = {**samples.DAY_DRIFT["trend"], "verdict": "drifted" if crossed else "ok", "crossed": crossed}
    found = {**samples.DAY_DRIFT, "day": DAY, "verdict": verdict, "drifted_features": [], "trend": trend}
    delivered.storage.write_json(keys.drift, found)
    drift = base.read(delivered.storage, keys.drift, DayDrift)
    monkeypatch.setattr("driftwatch.drift.image_quality.profile_day", lambda *_: drift)
    monkeypatch.setattr("driftwatch.view.report.write_report", lambda *_: "report.html")
    delivered.storage.write_json(keys.ingest, samples.INGEST)
    done = ProfileFeaturesOperator(task_id="profile", monitor=delivered.monitor, day=DAY).execute({})
    assert delivered.told == told
    assert done == {"verdict": verdict, "drifted_features": [], "trend": trend["verdict"]}


def test_a_change_that_goes_on_is_not_told_again_and_its_end_is(delivered, monkeypatch):
    monkeypatch.setattr("driftwatch.view.report.write_report", lambda *_: "report.html")
    for number, verdict in enumerate(["drifted", "drifted", "ok", "ok", "ok"]):
        day = date(2026, 11, 20 + number)
        trend = {**samples.DAY_DRIFT["trend"], "verdict": "ok"}
        found = {**samples.DAY_DRIFT, "day": day.isoformat(), "verdict": verdict, "trend": trend}
        delivered.storage.write_json(LAYOUT.day(day).drift, found)
        delivered.storage.write_json(LAYOUT.day(day).ingest, samples.INGEST)
        drift = base.read(delivered.storage, LAYOUT.day(day).drift, DayDrift)
        monkeypatch.setattr("driftwatch.drift.image_quality.profile_day", lambda *_, drift=drift: drift)
        ProfileFeaturesOperator(task_id="profile", monitor=delivered.monitor, day=day.isoformat()).execute({})
        delivered.told.append(number)
    assert delivered.told == ["drift", 0, 1, 2, 3, "drift", 4]
