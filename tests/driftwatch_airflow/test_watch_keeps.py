"""The watch keeps no more than it may: once a day, for each monitor, whatever happens to another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from airflow.sdk.exceptions import AirflowSkipException
from tests.stores import SMALLEST

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import DriftwatchError
from driftwatch.storage import Storage, open_storage
from driftwatch_airflow.operators.watch import KeepFilesOperator

AT = datetime(2026, 1, 23, 13, tzinfo=timezone.utc)
OLD, NEW = date(2025, 12, 1), date(2026, 1, 20)


@pytest.fixture
def storage(tmp_path, monkeypatch) -> Storage:
    (tmp_path / "monitors").mkdir()
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path / "monitors"))
    return open_storage(f"file://{tmp_path}/storage")


@pytest.fixture
def put(storage, tmp_path) -> Callable[..., None]:
    """Writes a monitor file, and two days' reports."""

    def write(name: str, **keep: Any) -> None:
        raw = {**SMALLEST, "name": name, "storage": {"uri": storage.uri, "keep": keep}}
        (tmp_path / f"monitors/{name}.yaml").write_text(yaml.safe_dump(raw))
        for day in (OLD, NEW):
            storage.write_bytes(MonitorKeys(name).day(day).report, b"12345")

    return write


def run(at: datetime = AT, before: datetime | None = None) -> Any:
    """What the task of the run at `at` returns, if the run before it was at `before`."""
    earlier = SimpleNamespace(run_after=before) if before else None
    ti = SimpleNamespace(get_previous_dagrun=lambda: earlier)
    context = cast("Any", {"ti": ti, "dag_run": SimpleNamespace(run_after=at)})
    return KeepFilesOperator(task_id="keep_files").execute(context)


def test_what_is_over_goes_where_the_monitor_file_says_so_and_the_log_says_how_much(storage, put, caplog):
    caplog.set_level("INFO")
    put("demo", reports=30, remove=True)
    put("other")
    put("says", reports=30)
    assert run() == {
        "demo": {"files": 1, "bytes": 5, "removed": True},
        "other": {"files": 0, "bytes": 0, "removed": False},
        "says": {"files": 1, "bytes": 5, "removed": False},
    }
    assert "demo: removed 1 files, 5 bytes" in caplog.text
    assert "says: nothing was removed, as storage.keep.remove is false" in caplog.text
    left = [(name, day) for name in ("demo", "other", "says") for day in storage.folders(f"{name}/days")
            if storage.list(f"{name}/days/{day}")]  # fmt: skip
    assert left == [("demo", str(NEW)), *((name, str(day)) for name in ("other", "says") for day in (OLD, NEW))]


def test_only_the_first_run_of_a_day_looks(storage, put):
    put("demo", reports=30, remove=True)
    with pytest.raises(AirflowSkipException, match="the first run of 2026-01-23"):
        run(before=AT - timedelta(hours=1))
    assert storage.list(f"demo/days/{OLD}")
    assert run(before=AT - timedelta(days=1))["demo"]["files"] == 1


def test_a_monitor_whose_files_cannot_be_read_stops_no_other_and_is_named(storage, put):
    put("aaa", profiles=30, remove=True)
    put("demo", reports=30, remove=True)
    keys = MonitorKeys("aaa").day(OLD)
    storage.write_bytes(keys.feature_profile, b"1")
    storage.write_bytes(keys.published, b"{")
    with pytest.raises(
        DriftwatchError, match=r"^files that are over may be left: aaa: DamagedArtifact.*published.json"
    ):
        run()
    assert storage.exists(keys.feature_profile)
    assert not storage.list(f"demo/days/{OLD}")
