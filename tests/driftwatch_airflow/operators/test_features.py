"""What the step tells that profiles the features."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_airflow.operators.features import ProfileFeaturesOperator

DAY = "2026-11-20"


LAYOUT = MonitorKeys("cats_vs_dogs")


@pytest.mark.parametrize(
    ("verdict", "crossed", "told"), [("ok", False, []), ("ok", True, ["drift"]), ("drifted", False, ["drift"])]
)
def test_a_drifted_day_and_a_new_trend_are_told(delivered, monkeypatch, verdict, crossed, told):
    trend = {"verdict": "drifted" if crossed else "ok", "crossed": crossed}
    drift = {"verdict": verdict, "drifted_features": [], "p_value": 0.4, "n": 50, "trend": trend}
    monkeypatch.setattr("driftwatch.drift.drift.profile_day", lambda *_: drift)
    monkeypatch.setattr("driftwatch.view.report.write_report", lambda *_: "report.html")
    delivered.storage.write_json(LAYOUT.day(date(2026, 11, 20)).ingest, {"model_version": "v0001-00000001"})
    ProfileFeaturesOperator(task_id="profile", monitor=delivered.monitor, day=DAY).execute({})
    assert delivered.told == told
