"""What the step tells that lets the model answer."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from airflow.sdk.exceptions import TaskDeferred
from PIL import Image
from tests.cards import model_card
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts import base
from driftwatch.artifacts.drift import ContentDrift, DriftTest
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.config.endpoint import EndpointConfig
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.models.metrics import share
from driftwatch_airflow.operators.predictions import PredictLabelsOperator
from driftwatch_sandbox.model_server.app import create_app
from driftwatch_sandbox.model_server.model import ServedModel
from driftwatch_servers.serving import running

from .first_task import TaskInstance

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
            **_OK,
            accuracy=share(9, 10, 0.95),
            segments_that=lambda *_: (),
            came_or_went=False,
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
        context = {"dag_run": SimpleNamespace(run_type=run_type), "ti": TaskInstance()}
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


def test_a_day_is_answered_by_a_model_server_by_its_connection(delivered, monkeypatch):
    """The task reads the connection; the champion is a file, and each row has production's own version."""
    served = ServedModel(
        "cats", (-1, 96, 96, 3), lambda tensor, version: tensor.mean(axis=(1, 2))[:, :2], versions=["7"]
    )
    for name in ("judge_content_and_predictions", "write_report"):
        monkeypatch.setattr(f"driftwatch.{_PLACES[name]}.{name}", lambda *_: ContentDrift.model_construct(**_OK))
    card = model_card(classes=delivered.monitor.classes, output="logits")
    delivered.storage.write_json(LAYOUT.model_card("v0001-00000001"), card.stored())
    rng = np.random.default_rng(0)
    delivered.deliver(**{f"i{number}": _jpeg(rng) for number in range(5)})
    delivered.ingest()
    endpoint = EndpointConfig(connection="models", model="cats")
    model = delivered.monitor.model.model_copy(update={"predictions": "endpoint", "endpoint": endpoint})
    monitor = delivered.monitor.model_copy(update={"model": model})
    with running(create_app(served, "a-secret-token")) as url:
        monkeypatch.setenv("AIRFLOW_CONN_MODELS", url.replace("http://", "http://:a-secret-token@"))
        found = PredictLabelsOperator(task_id="predict", monitor=monitor, day=DAY).execute({})
    table = delivered.storage.read_table(LAYOUT.day(date(2026, 11, 20)).predictions)
    assert (found["images"], found["model_version"]) == (5, "v0001-00000001")
    assert table["model_version"].tolist() == ["7"] * 5


_TESTED = DriftTest(verdict="ok", p_value=0.5, false_alarm_rate=0.01, n=12)
_OK = {"content": _TESTED, "predictions": _TESTED, "reference_version": "v0001-00000001"}
_PLACES = {"judge_content_and_predictions": "drift.content_and_predictions", "write_report": "view.report"}


def _jpeg(rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (96, 96, 3)).astype("uint8")).save(buffer, "JPEG")
    return buffer.getvalue()
