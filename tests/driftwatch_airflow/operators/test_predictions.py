"""What the step tells that lets the model answer."""

from __future__ import annotations

from datetime import date

import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_airflow.operators.predictions import PredictLabelsOperator

DAY = "2026-11-20"


LAYOUT = MonitorKeys("cats_vs_dogs")


@pytest.mark.parametrize("drifted", [None, "content", "predictions"])
def test_drift_of_what_the_model_sees_is_told_as_soon_as_it_has_answered(delivered, monkeypatch, drifted):
    judged = {kind: {"verdict": "drifted" if kind == drifted else "ok"} for kind in ("content", "predictions")}
    monkeypatch.setattr("driftwatch.models.predict.predict_day", lambda *_: {"images": 3})
    monkeypatch.setattr("driftwatch.accuracy.without_labels.estimate_day", lambda *_: {"accuracy": {}})
    monkeypatch.setattr("driftwatch.drift.content_drift.judge_answers", lambda *_: judged)
    monkeypatch.setattr("driftwatch.view.report.write_report", lambda *_: "report.html")
    delivered.storage.write_json(LAYOUT.day(date(2026, 11, 20)).ingest, {"model_version": "v0001-00000001"})
    found = PredictLabelsOperator(task_id="predict", monitor=delivered.monitor, day=DAY).execute({})
    assert delivered.told == (["drift"] if drifted else [])
    assert found["images"] == 3
