"""The section `execution`, and the file that has it for all monitors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from driftwatch.config.execution import STEPS, StepExecution
from driftwatch.config.loader import load_monitor, load_monitors
from driftwatch.errors import ConfigError

LABELS = {"backend": "toloka", "project_name": "S", "question": "Which?", "instructions": "Look."}


def write(folder: Path, execution: Any = None, shared: Any = None, **parts: Any) -> Path:
    settings: dict[str, Any] = {
        "name": "shades",
        "classes": ["dark", "light"],
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": "file:///nowhere"},
        "publish": {"sinks": ["local"]},
        "labels": LABELS,
        **parts,
    }
    if execution is not None:
        settings["execution"] = execution
    if shared is not None:
        (folder / "execution.yaml").write_text(yaml.safe_dump(shared), encoding="utf-8")
    path = folder / "shades.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def test_what_is_said_of_one_step_goes_before_what_is_said_of_all(tmp_path) -> None:
    said = {"defaults": {"queue": "cpu", "retries": 3}, "steps": {"train_challenger": {"queue": "gpu"}}}
    execution = load_monitor(write(tmp_path, said)).execution
    assert execution.of("train_challenger") == StepExecution(queue="gpu", retries=3)
    assert execution.of("ingest_images") == StepExecution(queue="cpu", retries=3)


def test_a_monitor_file_goes_before_the_file_for_all_and_that_one_is_no_monitor(tmp_path) -> None:
    shared = {
        "defaults": {"pool": "watch", "priority": 2, "retries": 5},
        "steps": {"train_challenger": {"memory_mb": 8000, "queue": "gpu"}, "gate": {"pool": "slow"}},
        "day_timeout_hours": 96,
    }
    path = write(tmp_path, {"defaults": {"retries": 1}, "steps": {"gate": {"pool": "own"}}}, shared)
    execution = load_monitor(path).execution
    assert execution.of("train_challenger") == StepExecution(
        pool="watch", priority=2, retries=1, memory_mb=8000, queue="gpu"
    )
    assert execution.of("gate").pool == "own"
    assert execution.of("ingest_images") == StepExecution(pool="watch", priority=2, retries=1)
    assert execution.day_timeout_hours == 96
    assert [found for found, _ in load_monitors(tmp_path)] == [path]


def test_an_unknown_step_is_refused_with_all_that_there_are(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"execution\.steps: train_chalenger: no such step") as error:
        load_monitor(write(tmp_path, {"steps": {"train_chalenger": {"queue": "gpu"}}}))
    assert all(step in str(error.value) for step in STEPS)


def test_a_mistake_in_the_file_for_all_names_that_file_and_its_line(tmp_path) -> None:
    path = write(tmp_path, shared={"defaults": {"retries": -1}})
    with pytest.raises(ConfigError, match=r"shades\.yaml: .*execution\.yaml: 1 setting.*\n.*defaults\.retries.*line 2"):
        load_monitor(path)
    (tmp_path / "execution.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"shades\.yaml: .*execution\.yaml, which is for all monitors, cannot be read"
    ):
        load_monitor(path)


@pytest.mark.parametrize("shared", [False, True])
def test_a_run_that_would_be_failed_while_people_label_is_refused(tmp_path, shared: bool) -> None:
    said = {"day_timeout_hours": 48}
    path = write(tmp_path, shared=said) if shared else write(tmp_path, said)
    with pytest.raises(
        ConfigError, match=r"day_timeout_hours 48 would fail a day .* 48 hours \(labels\.expire_hours\)"
    ):
        load_monitor(path)
