"""What the step tells that lets the model answer."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace

import pandas as pd
import pytest
from airflow.sdk.exceptions import TaskDeferred
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts import base
from driftwatch.artifacts.drift import ContentDrift
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.errors import DriftwatchError, NeedsAttention
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


class LogOfADay:
    """A day that was taken in, of a monitor whose answers production writes down."""

    def __init__(
        self, delivered: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, day: date, **logged: object
    ) -> None:
        self.storage, self.day = delivered.storage, day
        self.keys = LAYOUT.day(day)
        columns = {"key": "file", "prediction": "answer"}
        section = {"path": "logs/{day}/a.csv", "columns": columns, "settle_seconds": 0, **logged}
        settings = delivered.monitor.model_dump() | {"model": {"predictions": "logged", "logged": section, "content_features": "none"}}  # fmt: skip
        self.monitor = MonitorConfig.model_validate(settings)
        ids = [f"{number:064x}" for number in range(4)]
        keys = [f"{self.keys.incoming}/{number}.jpg" for number in range(4)]
        self.storage.write_table(self.keys.manifest, pd.DataFrame({"key": keys, "image_id": ids, "status": "accepted"}))
        self.storage.write_json(self.keys.ingest, {**samples.INGEST, "day": str(day)})
        told = SimpleNamespace(
            content=SimpleNamespace(verdict="ok"),
            predictions=SimpleNamespace(verdict="ok"),
            accuracy=share(9, 10, 0.95),
        )
        for place in (
            "driftwatch.accuracy.without_labels.estimate_day",
            "driftwatch.drift.content_and_predictions.judge_content_and_predictions",
            "driftwatch.view.report.write_report",
        ):
            monkeypatch.setattr(place, lambda *_: told)

    def write(self, images: int) -> None:
        rows = "".join(f"{number}.jpg,cat\n" for number in range(images))
        self.storage.write_bytes(f"logs/{self.day}/a.csv", f"file,answer\n{rows}".encode())

    def run(self, run_type: str = "scheduled", resumed: bool = False) -> dict:
        operator = PredictLabelsOperator(task_id="predict", monitor=self.monitor, day=str(self.day))
        context = {"dag_run": SimpleNamespace(run_type=run_type)}
        return operator.answer(context, {}) if resumed else operator.execute(context)


TODAY = datetime.now(timezone.utc).date()


def test_a_run_of_the_schedule_waits_for_the_log_without_a_workers_slot(delivered, monkeypatch):
    log = LogOfADay(delivered, monkeypatch, TODAY, wait_hours=2)
    before = datetime.now(timezone.utc)
    for written in (0, 2):  # no file yet; then one without half of the answers
        if written:
            log.write(written)
        with pytest.raises(TaskDeferred) as deferred:
            log.run(resumed=bool(written))
        assert deferred.value.method_name == "answer"
        assert before + timedelta(minutes=9) < deferred.value.trigger.moment < before + timedelta(minutes=12)
    log.write(4)
    found = log.run(resumed=True)
    assert found["images"] == 4
    assert found["log"] == {
        "rows": 4, "used": 4, "earlier": 0, "without_image": 0, "refused": 0, "unanswered": 0, "versions": {samples.INGEST["model_version"]: 4},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("day", "run_type"), [(TODAY - timedelta(days=9), "scheduled"), (TODAY, "manual")], ids=["too late", "by hand"]
)
def test_too_late_or_by_hand_a_missing_log_fails_at_once_and_may_be_tried_again(delivered, monkeypatch, day, run_type):
    log = LogOfADay(delivered, monkeypatch, day, wait_hours=2)
    with pytest.raises(DriftwatchError, match=rf"logs/{day}/a.csv is not there") as missing:
        log.run(run_type)
    assert not isinstance(missing.value, NeedsAttention)
    log.write(2)
    with pytest.raises(NeedsAttention, match="2 of the 4 images"):
        log.run(run_type)
