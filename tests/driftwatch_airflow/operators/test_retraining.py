"""The first steps of the retraining DAG: which days they take, and what the form changes."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from tests.cards import model_card
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.retraining import DatasetCard
from driftwatch.errors import NeedsAttention
from driftwatch.storage import Storage
from driftwatch_airflow.operators.retraining import (
    ChooseActionOperator,
    CollectTrainingSetOperator,
    TrainChallengerOperator,
)

RUN = "perf_alert__2026-11-20"


LAYOUT = MonitorKeys("cats_vs_dogs")

SET = DatasetCard.model_validate_json(json.dumps(samples.DATASET_CARD))


@pytest.fixture
def collected(monkeypatch):
    """The calls of the domain's collect_training_set."""
    import driftwatch.models.dataset

    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        driftwatch.models.dataset,
        "collect_training_set",
        lambda *arguments, **options: calls.append(arguments[1:]) or SET,
    )
    return calls


class Collected(CollectTrainingSetOperator):
    """Notes the branch instead of asking Airflow to skip the other."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        context["branch"] = branches_to_execute
        return branches_to_execute


@pytest.fixture
def champion(storage) -> str:
    """The version of a champion, of which there is only the card."""
    version = "v0001-00000001"
    storage.write_json(LAYOUT.model_card(version), model_card(version=version).stored())
    storage.write_json(LAYOUT.champion, {"version": version})
    return version


def collect(monitor: Any, **params: Any) -> Any:
    operator = Collected(task_id="collect", monitor=monitor, request=RUN, on_train="train", on_handover="hand_over")
    context = {"params": params, "run_id": RUN}
    summary = operator.execute(context)
    assert context["branch"] == "train"
    return summary


def label(storage: Storage, *days: str) -> None:
    for day in days:
        storage.write_bytes(LAYOUT.day(date.fromisoformat(day)).labels, b"labels")


def test_without_days_the_newest_labelled_one_ends_the_range(monitor, storage, champion, collected):
    label(storage, "2026-11-03", "2026-11-18")
    storage.write_json(LAYOUT.day(date(2026, 11, 20)).ingest, {})
    assert collect(monitor) == samples.DATASET_CARD
    assert collected == [(RUN, date(2026, 11, 12), date(2026, 11, 18))]


def test_the_form_chooses_the_days(monitor, storage, champion, collected):
    label(storage, "2026-11-18")
    collect(monitor, first_day="2026-11-01", last_day="2026-11-15")
    assert collected == [(RUN, date(2026, 11, 1), date(2026, 11, 15))]
    with pytest.raises(NeedsAttention, match="first_day 2026-11-16 is after last_day 2026-11-15"):
        collect(monitor, first_day="2026-11-16", last_day="2026-11-15")


@pytest.mark.parametrize(
    ("kind", "trainer", "branch"),
    [
        ("keras", None, "train"),
        ("onnx", None, "hand_over"),
        ("endpoint", None, "hand_over"),
        ("keras", "handover", "hand_over"),
        ("onnx", "ours.training:Trainer", "train"),
    ],
)
def test_a_keras_champion_is_trained_here_and_another_by_the_team_unless_the_file_says_who(
    monitor, storage, champion, collected, kind, trainer, branch
):
    label(storage, "2026-11-18")
    storage.write_json(LAYOUT.model_card(champion), model_card(version=champion, kind=kind).stored())
    settings = monitor.retraining.model_copy(update={"trainer": trainer})
    changed = monitor.model_copy(update={"retraining": settings})
    operator = Collected(task_id="collect", monitor=changed, request=RUN, on_train="train", on_handover="hand_over")
    context = {"params": {}, "run_id": RUN}
    operator.execute(context)
    assert context["branch"] == branch


def test_without_any_label_it_says_so(monitor, collected):
    with pytest.raises(NeedsAttention, match="no day has labels yet"):
        collect(monitor)
    assert collected == []


class Chosen(ChooseActionOperator):
    """Notes the branch instead of asking Airflow to skip the others."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        return branches_to_execute


def chosen(monitor: Any) -> Chosen:
    steps = {"on_plan": "plan", "on_rollback": "back", "on_challenger": "take_up", "on_retrain": "retrain"}
    return Chosen(task_id="choose", monitor=monitor, request=RUN, **steps)


def test_a_form_that_asks_for_two_things_at_once_is_refused(monitor, storage):
    params = {"rollback": "previous", "challenger": "v0002-00000002"}
    with pytest.raises(NeedsAttention, match="both rollback and challenger"):
        chosen(monitor).execute({"params": params, "run_id": RUN})
    assert not storage.exists(LAYOUT.active_retraining)


@pytest.mark.parametrize(("run_id", "expected"), [("perf_alert__2026-01-09", "take_up"), ("manual__1", "retrain")])
def test_an_alerts_run_compares_the_challenger_that_waits_and_a_run_by_hand_trains(
    monitor, storage, monkeypatch, run_id, expected
):
    import driftwatch.models.waiting

    monkeypatch.setattr(driftwatch.models.waiting, "looks_again", lambda store, run_key, day: day == date(2026, 1, 9))
    assert chosen(monitor).execute({"params": {}, "run_id": run_id}) == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "retrain"),
        ({"dry_run": True}, "plan"),
        ({"rollback": "previous"}, "back"),
        ({"rollback": "previous", "dry_run": True}, "plan"),
        ({"challenger": "v0002-00000002"}, "take_up"),
        ({"challenger": "v0002-00000002", "dry_run": True}, "plan"),
    ],
    ids=[
        "an empty form",
        "a dry run",
        "a rollback",
        "a dry run of a rollback",
        "a challenger",
        "a dry run of a challenger",
    ],
)
def test_the_form_chooses_the_action_and_only_what_makes_a_champion_by_the_gate_is_noted(
    monitor, storage, params, expected
):
    assert chosen(monitor).execute({"params": params, "run_id": RUN}) == expected
    noted = storage.exists(LAYOUT.active_retraining)
    assert noted == (expected in ("retrain", "take_up"))
    if noted:
        assert storage.read_json(LAYOUT.active_retraining) == {
            "run_key": RUN,
            "run_id": RUN,
            "day": "2026-11-20",
            "schema_version": 1,
        }


def test_the_form_replaces_the_files_settings_in_one_run(monitor, storage, monkeypatch):
    import driftwatch.models.challenger

    seen: list[Any] = []
    monkeypatch.setattr(driftwatch.models.challenger, "train_challenger", lambda *given: seen.append(given))
    form = {"epochs": 3, "start_from": "scratch", "seed": 5, "max_class_drop": 0.2, "reason": "the lens was replaced"}
    operator = TrainChallengerOperator(task_id="train", monitor=monitor, request=RUN)
    operator.execute({"params": form, "run_id": RUN, "dag_run": SimpleNamespace(triggering_user_name="alice")})
    ((store, key, asked),) = seen
    config = store.config
    assert (config.model.recipe.epochs, config.retraining.epochs) == (3, monitor.retraining.epochs)
    assert (config.retraining.seed, config.retraining.max_class_drop) == (5, 0.2)
    assert (key, asked) == (RUN, "the lens was replaced, by alice")
