"""What the pages read: current, tolerant of what is missing or damaged, and never a zero for what was not measured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.failure import Failure, write_failure
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.models import registry
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.file import FileStorage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.days import Day, read_days, read_object, with_failures
from driftwatch.view.models import models
from driftwatch.view.overview import Spend, calendar, spend_of_month
from driftwatch.view.series import series
from driftwatch.view.thumbnails import read_row

DAY = date(2026, 1, 5)
LAYOUT = MonitorKeys("demo")


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(open_storage(f"file://{tmp_path}"))


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


def test_an_object_is_read_once_until_it_is_replaced(artifacts: Artifacts) -> None:
    reads = []

    def read(storage: Storage, key: str) -> object:
        reads.append(key)
        return storage.read_json(key)

    assert artifacts.get("a.json", read) is None
    artifacts.storage.write_json("a.json", {"n": 1})
    assert [artifacts.get("a.json", read) for _ in range(3)] == [{"n": 1}] * 3
    assert len(reads) == 1
    artifacts.storage.write_json("a.json", {"n": 2})
    assert artifacts.get("a.json", read) == {"n": 2}


def test_the_least_recently_used_is_forgotten_first(artifacts: Artifacts) -> None:
    small = Artifacts(artifacts.storage, kept=2)
    for name in "abc":
        small.storage.write_json(f"{name}.json", {})
        small.get(f"{name}.json", read_object)
    assert [name for name, _ in small._held] == ["b.json", "c.json"]


def test_what_no_step_has_written_is_absent_and_the_day_is_waiting(artifacts: Artifacts, config: MonitorConfig) -> None:
    artifacts.storage.write_json(LAYOUT.day(DAY).ingest, {"accepted": 3, "listed": 3, "model_version": "v1"})
    (found,) = read_days(artifacts, LAYOUT)
    assert (found.drift, found.performance, found.tone) == (None, None, "waiting")
    shown = series([found], config)
    assert shown["performance"]["accuracy"] == {"value": [None], "low": [None], "high": [None]}
    assert shown["performance"]["labels"] == shown["performance"]["alpha"] == [None]
    assert shown["drift"]["verdict"] == [None]


def test_a_damaged_artifact_is_named_and_the_other_days_are_shown(artifacts: Artifacts) -> None:
    for number in range(3):
        artifacts.storage.write_json(LAYOUT.day(DAY + timedelta(days=number)).ingest, {"accepted": 1})
    artifacts.storage.write_bytes(LAYOUT.day(DAY).drift, b"{half")
    artifacts.storage.write_json(LAYOUT.day(DAY).performance, ["no", "object"])
    artifacts.storage.write_bytes(f"{LAYOUT.days}/notes/readme.txt", b"not a day")
    found = read_days(artifacts, LAYOUT)
    assert [row.day.day for row in found] == [5, 6, 7]
    assert found[0].tone == "bad"
    assert [problem.split(":")[0] for problem in found[0].problems] == ["drift.json", "performance.json"]
    assert found[1].problems == ()


@pytest.mark.parametrize(
    ("drift", "performance", "tone"),
    [
        ("ok", "ok", "good"), ("drifted", "ok", "warn"), ("drifted", "alert", "bad"), ("ok", "alert", "bad"), (None, "ok", "waiting"),
        ("ok", None, "waiting"), ("not_enough_evidence", "ok", "unsure"), ("ok", "not_enough_evidence", "unsure"), ("drifted", "not_enough_evidence", "warn"),
    ],
)  # fmt: skip
def test_a_day_has_the_tone_of_its_worst_verdict_and_is_good_only_with_both(drift, performance, tone) -> None:
    def verdict(value: str | None) -> dict[str, str] | None:
        return {"verdict": value} if value else None

    assert Day(DAY, {"accepted": 5}, verdict(drift), verdict(performance), None).tone == tone


def test_a_day_is_not_good_where_content_or_predictions_drifted() -> None:
    ok = {"verdict": "ok"}
    content = {"content": {"verdict": "drifted"}, "predictions": {"verdict": "ok"}}
    found = Day(DAY, {"accepted": 5}, {**ok, "trend": None}, ok, None, content_drift=content)
    assert (found.tone, found.other_drift) == ("warn", ["content"])
    assert "content changed" in found.said


def test_the_calendar_has_a_row_for_each_weekday_and_a_place_for_each_day_between() -> None:
    days = [Day(DAY + timedelta(days=number), None, None, None, None) for number in (2, 3, 11)]
    rows = calendar(days)["rows"]
    assert [len(row) for row in rows] == [2] * 7
    assert rows[2] == [days[0], DAY + timedelta(days=9)]
    assert rows[4] == [DAY + timedelta(days=4), days[2]]
    assert rows[0] == [None, DAY + timedelta(days=7)]


def test_the_months_spend_counts_the_newest_days_month_only(config: MonitorConfig) -> None:
    days = [
        Day(day, None, None, None, {"cost": {"total": 1.5}})
        for day in (date(2026, 1, 30), date(2026, 2, 1), date(2026, 2, 2))
    ]
    assert spend_of_month(days, config) == Spend("2026-02", paid=0.0, planned=3.0, counted=3.0, limit=300.0)


def test_one_row_of_a_stored_array_is_read_by_itself(artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    array = np.arange(5 * 4 * 4 * 3, dtype="uint8").reshape(5, 4, 4, 3)
    artifacts.storage.write_array("inputs.npy", array)
    assert (read_row(artifacts.storage, "inputs.npy", 3) == array[3]).all()
    monkeypatch.setattr(FileStorage, "local_path", lambda self, key: None)  # as on S3
    assert (read_row(artifacts.storage, "inputs.npy", 3) == array[3]).all()


def test_there_is_a_way_back_to_former_champions_alone(artifacts: Artifacts) -> None:
    storage = artifacts.storage
    for version in ("v0001-00000001", "v0002-00000002", "v0003-00000003", "v0004-00000004"):
        registry.register(monitor_store(storage, LAYOUT), version, version.encode(), {})
    registry.promote(monitor_store(storage, LAYOUT), "v0001-00000001", "by hand", expected=None)
    registry.promote(monitor_store(storage, LAYOUT), "v0002-00000002", "a run", expected="v0001-00000001")
    registry.promote(monitor_store(storage, LAYOUT), "v0004-00000004", "a run", expected="v0002-00000002")
    found = {row["version"][:5]: (row["state"], row["back"]) for row in models(artifacts, LAYOUT)}
    assert found == {
        "v0004": ("champion", False),
        "v0003": ("kept", False),  # its gate kept it from production
        "v0002": ("previous", True),
        "v0001": ("kept", True),
    }


def test_a_failed_day_is_bad_says_where_and_why_and_no_more_once_its_newest_run_goes_on(artifacts: Artifacts) -> None:
    keys, lost = LAYOUT.day(DAY), DAY + timedelta(days=2)
    write_failure(artifacts.storage, keys.failure, Failure(task="merge_annotations", reason="no answer", run_id="r1"))
    artifacts.storage.write_json(keys.drift, {"verdict": "ok"})
    (row,) = read_days(artifacts, LAYOUT)
    assert (row.tone, row.said) == ("bad", "failed at merge_annotations: no answer")
    known = Failure(task="merge_annotations", reason="see the log", run_id="r1")
    other = Failure(task="ingest_images", reason="see the log", run_id="r2")
    assert with_failures([row], {}) == [row]  # Airflow forgot the run
    assert with_failures([row], {DAY: [known]}) == [row]
    found = with_failures([row], {DAY: [other], lost: [other], DAY + timedelta(days=1): []})
    assert [(each.day, each.said) for each in found] == [
        (DAY, "failed at ingest_images: see the log"),
        (lost, "failed at ingest_images: see the log"),
    ]
    (again,) = with_failures([row], {DAY: []})
    assert (again.tone, again.said) == ("waiting", "images as usual, model not judged yet")


def test_a_months_labels_are_told_apart_as_paid_planned_and_counted(
    artifacts: Artifacts, config: MonitorConfig
) -> None:
    storage, cost = artifacts.storage, {"cost": {"total": 10.0}, "sample": []}
    closed, waiting, planned, damaged, more, most = (LAYOUT.day(DAY + timedelta(days=n)) for n in range(6))
    storage.write_json(closed.annotation, {**cost, "state": "closed", "progress": {"spent": 8.5}})
    storage.write_json(closed.annotation_progress, {"text": "", "spent": 8.0})  # the last look came before the end
    storage.write_json(waiting.annotation, {**cost, "state": "open"})
    storage.write_json(waiting.annotation_progress, {"text": "", "spent": 3.0})
    storage.write_json(planned.annotation, {**cost, "state": "planned"})
    storage.write_json(damaged.annotation, {"state": "closed"})
    storage.write_json(damaged.annotation_progress, {"text": "", "spent": "much"})
    storage.write_json(more.annotation, {**cost, "state": "closed", "progress": {"spent": "much"}})
    storage.write_json(most.annotation, {**cost, "state": "closed", "progress": {"paid": 1.0}})
    found = spend_of_month(read_days(artifacts, LAYOUT), config)
    assert found == Spend("2026-01", paid=11.5, planned=40.0, counted=28.5, limit=300.0)
