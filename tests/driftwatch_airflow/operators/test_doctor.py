"""The doctor as a task, with Airflow's connections and the stand-in of Toloka over real HTTP."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.operators.doctor import ExamineMonitorOperator


def examine(monitor: str, notify: bool = False) -> Any:
    context: Any = {"params": {"monitor": monitor, "notify": notify}, "run_id": "manual"}
    return ExamineMonitorOperator(task_id="examine_monitor").execute(context)


@pytest.fixture
def monitors(tmp_path, root, monkeypatch):
    folder = tmp_path / "monitors"
    folder.mkdir()
    text = (root / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8")
    (folder / "cats_vs_dogs.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(folder))
    return folder


def test_the_task_logs_the_whole_table_and_fails_with_the_lines_that_are_wrong(day, monitors, caplog) -> None:
    with caplog.at_level(logging.INFO, "driftwatch_airflow.operators.doctor"), pytest.raises(NeedsAttention) as error:
        examine("cats_vs_dogs")
    said = str(error.value)
    assert "WRONG  champion" in said
    assert "label service" not in said
    logged = " ".join(caplog.text.split())
    assert "ok label service toloka: Toloka account" in logged
    assert f"ok clock {day.url}: agrees with this machine's" in logged
    assert "AQAD-token" not in logged + said


def test_a_name_that_no_monitor_has_is_refused_with_those_that_there_are(monitors) -> None:
    with pytest.raises(NeedsAttention, match=r"no monitor 'dogs'.*there are cats_vs_dogs"):
        examine("dogs")
