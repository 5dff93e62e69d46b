"""What the step tells that lets the model answer."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts import base
from driftwatch.artifacts.drift import ContentDrift
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.models.metrics import share
from driftwatch_airflow.operators.predictions import PredictLabelsOperator

DAY = "2026-11-20"


LAYOUT = MonitorKeys("cats_vs_dogs")


@pytest.mark.parametrize("drifted", [None, "content", "predictions"])
def test_drift_of_what_the_model_sees_is_told_as_soon_as_it_has_answered(delivered, monkeypatch, drifted):
    keys = LAYOUT.day(date(2026, 11, 20))
    verdicts = {kind: "drifted" if kind == drifted else "ok" for kind in ("content", "predictions")}
    kinds = {kind: {**samples.CONTENT_DRIFT[kind], "verdict": verdict} for kind, verdict in verdicts.items()}
    delivered.storage.write_json(keys.content_drift, {**samples.CONTENT_DRIFT, **kinds, "day": DAY})
    judged = base.read(delivered.storage, keys.content_drift, ContentDrift)
    monkeypatch.setattr("driftwatch.models.predict.predict_day", lambda *_: {"images": 3})
    monkeypatch.setattr(
        "driftwatch.accuracy.without_labels.estimate_day", lambda *_: SimpleNamespace(accuracy=share(9, 10, 0.95))
    )
    judge = "driftwatch.drift.content_and_predictions.judge_content_and_predictions"
    monkeypatch.setattr(judge, lambda *_: judged)
    monkeypatch.setattr("driftwatch.view.report.write_report", lambda *_: "report.html")
    delivered.storage.write_json(keys.ingest, samples.INGEST)
    found = PredictLabelsOperator(task_id="predict", monitor=delivered.monitor, day=DAY).execute({})
    assert delivered.told == (["drift"] if drifted else [])
    assert found == {"images": 3, **verdicts}
