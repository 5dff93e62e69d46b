"""The retraining DAG's steps: which days they take, what a dry run does, and that a promotion happens once and is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from airflow.sdk.exceptions import AirflowSkipException

from driftwatch.errors import NeedsAttention
from driftwatch.layout import MonitorLayout
from driftwatch.model import registry
from driftwatch.monitor_files import load_monitor
from driftwatch.storage import Storage
from driftwatch_airflow.alerts import retraining_failed
from driftwatch_airflow.operators import retraining
from driftwatch_airflow.operators.retraining import CollectTrainingSetOperator, PromoteModelOperator

RUN = "perf_alert__2026-11-20"
LAYOUT = MonitorLayout("cats_vs_dogs")


@pytest.fixture
def monitor(tmp_path, root: Path, monkeypatch):
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    return load_monitor(root / "include/monitors/cats_vs_dogs.yaml")


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(f"file://{tmp_path}")


@pytest.fixture
def collected(monkeypatch):
    """The calls of the domain's collect_training_set."""
    import driftwatch.model.dataset

    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        driftwatch.model.dataset,
        "collect_training_set",
        lambda *arguments: calls.append(arguments[3:]) or {"new_labels": 7},
    )
    return calls


def collect(monitor: Any, **params: Any) -> Any:
    operator = CollectTrainingSetOperator(task_id="collect", monitor=monitor, request=RUN)
    return operator.execute({"params": params, "run_id": RUN})


def label(storage: Storage, *days: str) -> None:
    for day in days:
        storage.write_bytes(LAYOUT.day(date.fromisoformat(day)).labels, b"labels")


def test_without_days_the_newest_labelled_one_ends_the_range(monitor, storage, collected):
    label(storage, "2026-11-03", "2026-11-18")
    storage.write_json(LAYOUT.day(date(2026, 11, 20)).ingest, {})
    collect(monitor)
    assert collected == [(RUN, date(2026, 11, 12), date(2026, 11, 18))]


def test_the_form_chooses_the_days(monitor, storage, collected):
    label(storage, "2026-11-18")
    collect(monitor, first_day="2026-11-01", last_day="2026-11-15")
    assert collected == [(RUN, date(2026, 11, 1), date(2026, 11, 15))]
    with pytest.raises(NeedsAttention, match="first_day 2026-11-16 is after last_day 2026-11-15"):
        collect(monitor, first_day="2026-11-16", last_day="2026-11-15")


def test_without_any_label_it_says_so(monitor, collected):
    with pytest.raises(NeedsAttention, match="no day has labels yet"):
        collect(monitor)
    assert collected == []


def test_a_dry_run_shows_the_set_and_stops(monitor, storage, collected):
    label(storage, "2026-11-18")
    with pytest.raises(AirflowSkipException, match=r"nothing is trained; the set would be .*'new_labels': 7"):
        collect(monitor, dry_run=True)


@pytest.fixture
def gate_passed(storage):
    """Two registered versions, of which the gate found the second better, and what its reference is built from."""
    rng = np.random.default_rng(0)
    features = pd.DataFrame({"image_id": [f"i{n}" for n in range(80)], "image.entropy": rng.normal(size=80)})
    storage.write_table(LAYOUT.training_features, features)
    old, new = (
        registry.register(storage, LAYOUT, f"v000{n}-{n:08x}", b"model %d" % n, {"data": {"run_key": None}})
        for n in (1, 2)
    )
    registry.promote(storage, LAYOUT, old["version"], "test", expected=None)
    gate = {"decision": "promote", "reasons": ["better"], "version": new["version"], "champion": old["version"]}
    storage.write_json(LAYOUT.retraining(RUN, "gate.json"), gate)
    return old["version"], new["version"]


def promote(monitor: Any) -> str:
    return PromoteModelOperator(task_id="promote", monitor=monitor, request=RUN).execute({"run_id": RUN, "params": {}})


def test_a_passed_gate_moves_the_champion_once_and_tells_it(monitor, storage, gate_passed, monkeypatch):
    told: list[Any] = []
    monkeypatch.setattr(retraining, "send_alert", lambda context, monitor, kind, facts: told.append((kind, facts)))
    old, new = gate_passed
    assert promote(monitor) == new
    pointer = storage.read_bytes(LAYOUT.champion)
    assert promote(monitor) == new
    assert storage.read_bytes(LAYOUT.champion) == pointer
    assert registry.champion(storage, LAYOUT)["previous"] == old
    assert storage.exists(LAYOUT.reference_profile(new))
    assert told[0] == ("model_promoted", {"version": new, "run_id": RUN})


def test_a_challenger_is_not_promoted_over_a_champion_that_it_was_not_compared_with(monitor, storage, gate_passed):
    third = registry.register(storage, LAYOUT, "v0003-00000003", b"model 3", {})["version"]
    registry.promote(storage, LAYOUT, third, "somebody", expected=gate_passed[0])
    with pytest.raises(registry.ChampionMoved):
        promote(monitor)
    assert registry.champion(storage, LAYOUT)["version"] == third


def test_a_failed_step_is_told_with_its_reason_and_the_champion_that_serves(monitor, storage, gate_passed, monkeypatch):
    import driftwatch_airflow.alerts

    told: list[Any] = []
    monkeypatch.setattr(
        driftwatch_airflow.alerts, "send_alert", lambda context, monitor, kind, facts: told.append((kind, facts))
    )
    retraining_failed(monitor)(
        {"ti": SimpleNamespace(task_id="train_challenger"), "run_id": RUN, "exception": ValueError("no disk")}
    )
    assert told == [
        ("retraining_failed", {"run_id": RUN, "reason": "train_challenger failed: no disk", "champion": gate_passed[0]})
    ]


def test_no_champion_is_ever_without_a_reference(monitor, storage, gate_passed, monkeypatch):
    import driftwatch.profiling.drift

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(driftwatch.profiling.drift, "build_reference", full)
    with pytest.raises(OSError, match="no space left"):
        promote(monitor)
    assert registry.champion(storage, LAYOUT)["version"] == gate_passed[0]
