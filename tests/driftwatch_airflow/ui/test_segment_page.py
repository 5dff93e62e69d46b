"""A segment's page over time, and the way to it from the day's page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from tests.driftwatch.accuracy.days import CARD, evaluated
from tests.driftwatch.accuracy.segment_days import write_days
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.view.segment_pages import MOST_DAYS

from .conftest import Manager, app_for

FILE = {
    "name": "demo",
    "classes": ["cat", "dog"],
    "schedule": {"start_date": "2026-01-01"},
    "segments": {"camera": {"key": "^([^/]+)/"}},
    "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
}


@pytest.fixture
def days(tmp_path: Any) -> list[DayKeys]:
    """Three judged days, on which door-2 is bad."""
    config = MonitorConfig.model_validate({**FILE, "storage": {"uri": f"file://{tmp_path}/storage"}})
    storage = open_storage(config.storage.uri)
    storage.write_json("demo/models/v1/card.json", CARD)
    found = write_days(storage, config, 3)
    for day in found:
        storage.write_json(day.ingest, {**samples.INGEST, "day": day.day.isoformat(), "model_version": "v1"})
        evaluated(storage, day, config)
    return found


@pytest.fixture
def client(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, days: list[DayKeys]) -> TestClient:
    folder = tmp_path / "monitors"
    folder.mkdir()
    (folder / "demo.yaml").write_text(yaml.safe_dump({**FILE, "storage": {"uri": f"file://{tmp_path}/storage"}}))
    return TestClient(app_for(Manager({"demo_monitoring"}), folder, monkeypatch))


def test_a_segment_is_shown_over_time_with_its_images(client: TestClient) -> None:
    shown = client.get("/m/demo/segments/camera/door-2")
    assert shown.status_code == 200
    assert (
        "Of 3 days, its images changed on 0, and the model is worse there than elsewhere or than the floor on 3."
        in shown.text
    )
    assert (
        shown.text.index("2026-01-07") < shown.text.index("/days/2026-01-06/") < shown.text.index("/days/2026-01-05/")
    )
    assert "30 of 3 days" in shown.text
    assert "20 % [10, 37]" in shown.text
    assert shown.text.count("<figure>") == 12
    assert '<svg class="history"' in shown.text
    assert "than the floor on 0." in client.get("/m/demo/segments/camera/door-1").text


def test_a_segment_that_no_day_knows_is_not_found_and_its_name_is_escaped(client: TestClient) -> None:
    answer = client.get("/m/demo/segments/camera/%3Cscript%3E%2Fx")
    assert answer.status_code == 404
    assert "No day of the last 60 knows a segment &lt;script&gt;/x of camera" in answer.text


def put_drift(tmp_path: Any, day: DayKeys, *segments: dict[str, Any]) -> None:
    storage = open_storage(f"file://{tmp_path}/storage")
    storage.write_json(day.drift, samples.DAY_DRIFT | {"day": day.day.isoformat(), "segments": list(segments)})


def test_a_camera_as_usual_is_shown_too_and_counts_among_the_days(
    client: TestClient, tmp_path: Any, days: list[DayKeys]
) -> None:
    """door-7 has no label; the tables on the days' pages lead here."""
    usual = {"by": "camera", "name": "door-7", "images": 40, "status": "usual", "p_value": 0.6, "effect": 0.1}
    for day in days[:2]:
        put_drift(tmp_path, day, usual)
    put_drift(tmp_path, days[2], {**usual, "status": "drifted", "p_value": 0.0001, "effect": 0.7})
    shown = client.get("/m/demo/segments/camera/door-7")
    assert shown.status_code == 200
    assert "Of 3 days, its images changed on 1," in shown.text
    assert shown.text.count(">as usual<") == 2
    assert shown.text.count(">changed<") == 1


def test_a_camera_that_went_long_ago_is_shown_as_far_as_it_was_told(
    client: TestClient, tmp_path: Any, days: list[DayKeys]
) -> None:
    gone = {"by": "camera", "name": "door-8", "images": 0, "status": "missing", "since": "2026-01-05"}
    put_drift(tmp_path, days[0], gone)
    for later in range(10, 10 + MOST_DAYS):
        day = DayKeys("demo", days[0].day + timedelta(days=later))
        put_drift(tmp_path, day)
    shown = client.get("/m/demo/segments/camera/door-8")
    assert shown.status_code == 200
    assert "Of 1 day, its images changed on 0," in shown.text
    assert ">no image<" in shown.text
