"""Tables beside a day's images may come hours after the day: the run of the schedule waits for them, takes in no part of the day and pays nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.config.blur import BlurConfig
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.images import table_file
from driftwatch.images.table_file import MissingTable, StillWritten
from driftwatch.storage.lock import exclusive
from driftwatch_airflow import waiting
from driftwatch_airflow.operators import annotation
from driftwatch_airflow.operators.annotation import CreateAnnotationPoolOperator
from driftwatch_airflow.operators.ingest import IngestImagesOperator, IngestShardOperator, MergeShardsOperator

from .conftest import TaskInstance
from .test_ingest import photo

TODAY = datetime.now(timezone.utc).date()
DELIVERED = TODAY - timedelta(days=2)  # and not long ago, whatever the hour is
LONG_AGO = TODAY - timedelta(days=9)
LAYOUT = MonitorKeys("cats_vs_dogs")

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def xcom() -> dict[str, Any]:
    """What the task that ran last has pushed."""
    return {}


@pytest.fixture
def run(delivered, xcom, monkeypatch) -> Run:
    monkeypatch.setattr("driftwatch_airflow.triggers.turn.earlier_day_at_work", lambda *_: None)
    for name in ("a", "b"):
        delivered.storage.write_bytes(f"cams/{name}.jpg", photo(ord(name)))

    def made(
        day: date,
        run_type: str = "scheduled",
        resumed: bool = False,
        wait_hours: float = 30,
        lists: str = "lists/{day}.csv",
        **settings_more: Any,
    ) -> dict[str, Any]:
        layout = {"paths": "cams", "inventory": {"path": lists}}
        settings = delivered.monitor.model_dump() | settings_more
        settings["images"] |= {"layout": layout, "wait_hours": wait_hours}
        monitor = MonitorConfig.model_validate(settings)
        operator = IngestImagesOperator(task_id="ingest", monitor=monitor, day=str(day))
        ti = TaskInstance()
        ti.xcom = xcom
        xcom.clear()
        logical_date = datetime.combine(day, datetime.min.time(), timezone.utc)
        context = {"dag_run": SimpleNamespace(run_type=run_type, logical_date=logical_date), "ti": ti}
        operator.take_turn(context, {}) if resumed else operator.execute(context)
        return xcom["counts"]

    return made


def test_the_xcom_of_a_task_that_waits_says_for_what_and_until_when(delivered, run, xcom, monkeypatch):
    """Airflow's UI shows XComs of a task that waits, and no page of Driftwatch knows of the day yet."""
    day = DELIVERED
    with pytest.raises(TaskDeferred):
        run(day, wait_hours=72)
    said = rf"20\d\d-.* UTC: Looking every ten minutes until 20.* UTC \(images\.wait_hours\).* Now: .*lists/{day}\.csv is not there.*"
    assert re.fullmatch(said, xcom["waiting"])
    with pytest.raises(TaskDeferred):
        run(TODAY)
    assert f"Images of {TODAY} may arrive until" in xcom["waiting"]
    monkeypatch.setattr("driftwatch_airflow.triggers.turn.earlier_day_at_work", lambda *_: "2026-01-04")
    with pytest.raises(TaskDeferred):
        run(day, resumed=True)
    assert "waits for the images of 2026-01-04" in xcom["waiting"]


def test_the_run_waits_without_a_workers_slot_until_the_file_is_there(delivered, run):
    """It is missing at first, then it was opened and nothing is in it yet."""
    before, day = datetime.now(timezone.utc), DELIVERED
    for opened in (False, True):
        if opened:
            delivered.storage.write_bytes(f"lists/{day}.csv", b"")
        with pytest.raises(TaskDeferred) as deferred:
            run(day, resumed=opened, wait_hours=72)
        assert deferred.value.method_name == "take_turn"
        assert before + timedelta(minutes=9) < deferred.value.trigger.moment < before + timedelta(minutes=12)
        assert not [*delivered.storage.list(LAYOUT.days)]
    delivered.storage.write_bytes(f"lists/{day}.csv", b"key\na.jpg\nb.jpg\n")
    assert run(day, resumed=True)["accepted"] == 2


@pytest.mark.parametrize(
    ("day", "run_type", "hours"),
    [(LONG_AGO, "scheduled", 30), (DELIVERED, "manual", 72), (LONG_AGO, "backfill", 0)],
    ids=["too late", "by hand", "no wait"],
)
def test_a_file_that_is_not_waited_for_fails_the_day_which_is_taken_in_when_the_task_is_cleared(
    delivered, run, day, run_type, hours
):
    with pytest.raises(MissingTable, match=rf"lists/{day}\.csv is not there.*images\.wait_hours"):
        run(day, run_type, wait_hours=hours)
    delivered.storage.write_bytes(f"lists/{day}.csv", b"key\na.jpg\n")
    assert run(day, run_type, wait_hours=hours)["accepted"] == 1


def test_a_file_that_is_wrong_is_told_at_once(delivered, run):
    day = DELIVERED
    delivered.storage.write_bytes(f"lists/{day}.csv", b"name\na.jpg\n")
    with pytest.raises(NeedsAttention, match="has no 'key'"):
        run(day, resumed=True, wait_hours=72)


def test_a_file_that_is_written_to_all_the_time_is_waited_for_too(delivered, run, monkeypatch):
    day = DELIVERED
    delivered.storage.write_bytes(f"lists/{day}.csv", b"key\na.jpg\n")
    monkeypatch.setattr(table_file, "_age", lambda *_: 1.0)
    monkeypatch.setattr(table_file, "time", SimpleNamespace(sleep=lambda _: None))
    with pytest.raises(TaskDeferred):
        run(day, resumed=True, wait_hours=72)
    with pytest.raises(StillWritten) as said:  # Airflow tries again
        run(day, resumed=True, wait_hours=0)
    assert isinstance(said.value, DriftwatchError)
    assert not isinstance(said.value, NeedsAttention)


@pytest.mark.parametrize("end", ["csv", "tsv", "csv.gz", "jsonl", "parquet"])
def test_a_table_that_was_opened_and_has_nothing_in_it_yet_is_waited_for_too(delivered, run, end):
    day = DELIVERED
    delivered.storage.write_bytes(f"lists/{day}.csv", b"key\na.jpg\n")
    delivered.storage.write_bytes(f"light/{day}.{end}", b"")
    table = {"path": f"light/{{day}}.{end}", "key": "file", "column": "light"}
    with pytest.raises(TaskDeferred):
        run(day, resumed=True, wait_hours=72, segments={"light": {"table": table}})
    with pytest.raises(
        MissingTable, match=rf"light/{day}\.{end} has 0 bytes, and segments\.light\.table .*images\.wait_hours"
    ):
        run(day, resumed=True, wait_hours=0, segments={"light": {"table": table}})


def test_a_list_in_parquet_that_was_opened_and_has_nothing_in_it_yet_is_waited_for_too(delivered, run):
    day = DELIVERED
    delivered.storage.write_bytes(f"lists/{day}.parquet", b"")
    with pytest.raises(TaskDeferred):
        run(day, resumed=True, wait_hours=72, lists="lists/{day}.parquet")


def test_a_table_of_segments_is_waited_for_unless_it_may_be_unknown(delivered, run):
    day = DELIVERED
    delivered.storage.write_bytes(f"lists/{day}.csv", b"key\na.jpg\n")
    table = {"path": "light/{day}.csv", "key": "file", "column": "light"}
    with pytest.raises(TaskDeferred):
        run(day, resumed=True, wait_hours=72, segments={"light": {"table": table}})
    segments = {"light": {"table": {**table, "missing": "unknown"}}}
    assert run(day, resumed=True, wait_hours=72, segments=segments)["accepted"] == 1


def test_a_day_in_shards_waits_for_a_table_that_is_written_anew_while_it_is_taken_in(delivered):
    day, images = DELIVERED, 257
    for number in range(images):
        delivered.storage.write_bytes(f"cams/{day}/{number:03d}.jpg", photo(number))
    table, rows = f"light/{day}.csv", "".join(f"{number:03d}.jpg,day\n" for number in range(images))
    delivered.storage.write_bytes(table, f"file,light\n{rows}".encode())
    settings = delivered.monitor.model_dump()
    settings["images"] |= {"layout": {"paths": "cams/{day}"}, "wait_hours": 72, "shard_size": 256}
    settings["segments"] = {"light": {"table": {"path": "light/{day}.csv", "key": "file", "column": "light"}}}
    common = {"monitor": MonitorConfig.model_validate(settings), "day": str(day)}
    context = {"dag_run": SimpleNamespace(run_type="scheduled", logical_date=None), "ti": TaskInstance()}
    batches = IngestImagesOperator(task_id="ingest", **common).take_in(context)
    for batch in batches:
        IngestShardOperator(task_id="shard", shard=batch, **common).execute(context)
    merging = MergeShardsOperator(task_id="merge", **common)
    delivered.storage.delete(table)
    with pytest.raises(TaskDeferred) as deferred:
        merging.execute(context)
    assert deferred.value.method_name == "merge"
    delivered.storage.write_bytes(table, f"file,light\n{rows}".encode())
    assert merging.merge(context, {})["accepted"] == images


def test_the_table_of_boxes_is_waited_for_and_nothing_is_made_meanwhile(day, monkeypatch):
    incoming, manifest = "cats_vs_dogs/incoming/2026-11-20", "cats_vs_dogs/days/2026-11-20/manifest.parquet"
    table = day.storage.read_table(manifest)
    for key in table["key"]:
        day.storage.copy(key, key.replace("in", incoming, 1))
    day.storage.write_table(manifest, table.assign(key=table["key"].str.replace("in", incoming, n=1)))
    blur = BlurConfig(path="faces/{day}.csv", training="show")
    labels, images = day.monitor.labels.model_copy(update={"blur": blur, "control_tasks": 0}), day.monitor.images
    day.monitor = day.monitor.model_copy(
        update={"labels": labels, "images": images.model_copy(update={"wait_hours": 48})}
    )
    operator = CreateAnnotationPoolOperator(task_id="create", monitor=day.monitor, day="2026-11-20")
    context = {**day.context(), "dag_run": SimpleNamespace(run_type="scheduled")}
    now = datetime.now(timezone.utc)
    context["ti"].start_date = now - timedelta(days=2)  # Airflow keeps the time at which the task first began
    monkeypatch.setattr(waiting, "utcnow", lambda: datetime(2026, 11, 22, tzinfo=timezone.utc))
    with pytest.raises(TaskDeferred) as deferred:
        operator.create(context, {"missing": [], "failed": None})
    assert deferred.value.method_name == "make"
    assert list(day.client.get_projects()) == []
    monkeypatch.setattr(waiting, "utcnow", lambda: datetime(2026, 11, 24, tzinfo=timezone.utc))
    with pytest.raises(
        MissingTable, match=r"faces/2026-11-20\.csv is not there, and labels\.blur .*images\.wait_hours"
    ):
        operator.make(context)
    rows = "".join(f"{number}.jpg,,,,\n" for number in range(12))
    day.storage.write_bytes("faces/2026-11-20.csv", f"key,x,y,width,height\n{rows}".encode())
    # The task's start stays that of before the wait.
    resumed = context["ti"].start_date + timedelta(days=4)
    monkeypatch.setattr(annotation, "utcnow", lambda: resumed)
    # Who waits for a table in this task holds no other day up.
    held, settle = [], table_file.settled

    @contextmanager
    def waiting_for(*args: Any) -> Iterator[None]:
        with exclusive(day.storage, LAYOUT.annotation_lock, wait_seconds=0):
            held.append(args)
        with settle(*args):
            yield

    monkeypatch.setattr("driftwatch.images.covered.settled", waiting_for)
    assert operator.make(context, resumed)["pool_id"]
    assert held
    plan = day.storage.read_bytes("cats_vs_dogs/days/2026-11-20/annotation.json")
    assert AnnotationPlan.model_validate_json(plan).expires == resumed.replace(microsecond=0) + timedelta(
        hours=day.monitor.labels.expire_hours
    )
