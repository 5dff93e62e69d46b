"""The retraining DAG's steps: which days they take, what a dry run does, and that a promotion happens once and is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.config.monitor_files import load_monitor
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.storage import Storage
from driftwatch_airflow.failures import retraining_failed
from driftwatch_airflow.operators import retraining
from driftwatch_airflow.operators.retraining import (
    ChooseActionOperator,
    CollectTrainingSetOperator,
    PromoteModelOperator,
    RollBackOperator,
    ShowPlanOperator,
    TrainChallengerOperator,
)

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
    import driftwatch.models.dataset

    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        driftwatch.models.dataset,
        "collect_training_set",
        lambda *arguments, **options: calls.append(arguments[3:]) or {"new_labels": 7},
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


class Chosen(ChooseActionOperator):
    """Notes the branch instead of asking Airflow to skip the others."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        return branches_to_execute


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "retrain"),
        ({"dry_run": True}, "plan"),
        ({"rollback": "previous"}, "back"),
        ({"rollback": "previous", "dry_run": True}, "plan"),
    ],
    ids=["an empty form", "a dry run", "a rollback", "a dry run of a rollback"],
)
def test_the_form_chooses_the_action_and_only_a_retraining_is_noted(monitor, storage, params, expected):
    operator = Chosen(
        task_id="choose", monitor=monitor, request=RUN, on_plan="plan", on_rollback="back", on_retrain="retrain"
    )
    assert operator.execute({"params": params, "run_id": RUN}) == expected
    noted = storage.exists(LAYOUT.active_retraining)
    assert noted == (expected == "retrain")
    if noted:
        assert storage.read_json(LAYOUT.active_retraining) == {"run_key": RUN, "run_id": RUN, "day": "2026-11-20"}


def test_the_form_replaces_the_files_settings_in_one_run(monitor, storage, monkeypatch):
    import driftwatch.models.challenger

    seen: list[Any] = []
    monkeypatch.setattr(driftwatch.models.challenger, "train_challenger", lambda *given: seen.append(given[2:]))
    form = {"epochs": 3, "start_from": "scratch", "seed": 5, "max_class_drop": 0.2, "reason": "the lens was replaced"}
    operator = TrainChallengerOperator(task_id="train", monitor=monitor, request=RUN)
    operator.execute({"params": form, "run_id": RUN, "dag_run": SimpleNamespace(triggering_user_name="alice")})
    ((config, key, asked),) = seen
    assert (config.model.recipe.epochs, config.retraining.epochs) == (3, monitor.retraining.epochs)
    assert (config.retraining.seed, config.retraining.max_class_drop) == (5, 0.2)
    assert (key, asked) == (RUN, "the lens was replaced, by alice")


def roll_back(monitor: Any, to: str, run_id: str = "back_1") -> str:
    operator = RollBackOperator(task_id="roll_back", monitor=monitor, request=run_id)
    return operator.execute({"params": {"rollback": to}, "run_id": run_id})


def test_a_rollback_takes_one_step_is_told_and_a_repeated_task_does_not_roll_forward(
    monitor, storage, gate_passed, monkeypatch
):
    told: list[Any] = []
    monkeypatch.setattr(retraining, "send_alert", lambda context, monitor, kind, facts: told.append((kind, facts)))
    old, new = gate_passed
    promote(monitor)
    assert [roll_back(monitor, "previous") for _ in range(2)] == [old, old]
    assert told[-1] == ("model_rolled_back", {"version": old, "previous": new, "run_id": "back_1"})
    assert roll_back(monitor, new, "back_2") == new
    with pytest.raises(registry.UnknownVersion, match="has no version"):
        roll_back(monitor, "v0009-00000000", "back_3")
    assert registry.champion(monitor_store(storage, LAYOUT))["version"] == new


@pytest.fixture
def gate_passed(storage, monkeypatch):
    """Two registered versions, of which the gate found the second better; what their references hold is no matter here."""
    import driftwatch.drift.handover

    def build(storage: Storage, layout: MonitorLayout, config: Any, version: str) -> None:
        storage.write_bytes(layout.reference_profile(version), b"profile")

    monkeypatch.setattr(driftwatch.drift.handover, "build_reference_of", build)
    old, new = (
        registry.register(
            monitor_store(storage, LAYOUT), f"v000{n}-{n:08x}", b"model %d" % n, {"data": {"run_key": None}}
        )
        for n in (1, 2)
    )
    registry.promote(monitor_store(storage, LAYOUT), old["version"], "test", expected=None)
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
    assert registry.champion(monitor_store(storage, LAYOUT))["previous"] == old
    assert storage.exists(LAYOUT.reference_profile(new))
    facts = {
        "version": new,
        "previous": old,
        "run_id": RUN,
        "gate": storage.read_json(LAYOUT.retraining(RUN, "gate.json")),
    }
    assert told[0] == ("model_promoted", facts)


def test_a_challenger_is_not_promoted_over_a_champion_that_it_was_not_compared_with(monitor, storage, gate_passed):
    third = registry.register(monitor_store(storage, LAYOUT), "v0003-00000003", b"model 3", {})["version"]
    registry.promote(monitor_store(storage, LAYOUT), third, "somebody", expected=gate_passed[0])
    with pytest.raises(registry.ChampionMoved):
        promote(monitor)
    assert registry.champion(monitor_store(storage, LAYOUT))["version"] == third


def test_a_failed_step_is_told_with_its_reason_and_the_champion_that_serves(monitor, storage, gate_passed, monkeypatch):
    import driftwatch_airflow.failures

    told: list[Any] = []
    monkeypatch.setattr(
        driftwatch_airflow.failures, "send_alert", lambda context, monitor, kind, facts: told.append((kind, facts))
    )
    retraining_failed(monitor)(
        {"ti": SimpleNamespace(task_id="train_challenger"), "run_id": RUN, "exception": ValueError("no disk")}
    )
    assert told == [
        (
            "retraining_failed",
            {"run_id": RUN, "task": "train_challenger", "reason": "ValueError: no disk", "champion": gate_passed[0]},
        )
    ]


def test_no_champion_is_ever_without_a_reference(monitor, storage, gate_passed, monkeypatch):
    import driftwatch.drift.handover

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(driftwatch.drift.handover, "build_reference_of", full)
    with pytest.raises(OSError, match="no space left"):
        promote(monitor)
    assert registry.champion(monitor_store(storage, LAYOUT))["version"] == gate_passed[0]


def test_followers_of_the_champion_are_told_the_version_and_where_its_card_is(monitor, storage, gate_passed):
    from airflow.sdk.execution_time.context import OutletEventAccessors

    from driftwatch_airflow.assets import champion_asset

    asset, events = champion_asset(monitor.name), OutletEventAccessors()
    task = PromoteModelOperator(task_id="promote", monitor=monitor, request=RUN, outlets=[asset])
    task.execute({"run_id": RUN, "params": {}, "outlet_events": events})
    assert events[asset].extra == {
        "version": gate_passed[1],
        "previous": gate_passed[0],
        "promoted_by": RUN,
        "url": storage.url(LAYOUT.model_card(gate_passed[1])),
    }


def test_there_is_no_way_back_to_a_challenger_that_was_never_champion(monitor, storage, gate_passed):
    old, new = gate_passed
    for task in (RollBackOperator, ShowPlanOperator):
        operator = task(task_id="back", monitor=monitor, request=RUN)
        with pytest.raises(NeedsAttention, match=f"{new} was never champion.*these were: {old}"):
            operator.execute({"params": {"rollback": new}, "run_id": "by hand"})
    assert registry.champion(monitor_store(storage, LAYOUT))["version"] == old
