"""A challenger that seems better waits for the labels of the next days with an alert, and each adds one comparison."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import CHALLENGER, GATE, ONLY_JUDGED, SET
from driftwatch.artifacts.nested_keys import ALERT_RUN_PREFIX
from driftwatch.artifacts.retraining import AttachedAlert, ChallengerNote, GateResult
from driftwatch.models import gate, registry
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.gate_rules import NOT_ENOUGH_EVIDENCE
from driftwatch.models.predictors.base import Asked
from driftwatch.models.requests import begin_unless_in_the_way
from driftwatch.models.waiting import NobodyWaits, looks_again, take_up_waiting, waiting
from driftwatch.view.gate import reason_text

DAYS = [date(2026, 1, 4) + timedelta(days=number) for number in range(8)]


def run_of(day: date) -> str:
    return f"{ALERT_RUN_PREFIX}{day.isoformat()}"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The shares of images that the champion and the challenger have right, as far as the image's id says; both can be set."""
    right, asked = [0.6, 0.75], []

    class Says:
        def predict(self, these: Asked, batch_size: int) -> Says:
            asked.append(list(these.image_ids))
            return self

        def table(self, classes: tuple[str, ...]) -> pd.DataFrame:
            share = right[(len(asked) - 1) % 2]
            said = []
            for image_id in asked[-1]:
                wrong = next(name for name in classes if name != truth[image_id])
                said.append(truth[image_id] if int(image_id[:8], 16) / 2**32 < share else wrong)
            return pd.DataFrame({"prediction": said})

    truth: dict[str, str] = {}
    monkeypatch.setattr(gate, "predictor", lambda store, version: Says())
    monkeypatch.setattr(gate, "images_of_days", lambda *a: pd.DataFrame({"image_id": []}))
    monkeypatch.setattr(gate, "load_inputs", lambda store, table: (truth.update(zip(table["image_id"], table["label"], strict=True)), np.zeros((len(table), 1)))[1])  # fmt: skip
    return right


@pytest.fixture
def first(world, answers):
    """A store in which the alert of the first day made a challenger that waits."""
    for day in DAYS[:3]:
        world.add_day(day, 40, verdict="alert")
    store = monitor_store(world.storage, world.layout, world.with_config(min_evaluation_labels=5).config)
    collect_training_set(store, run_of(DAYS[0]), DAYS[0], DAYS[0])
    champion = registry.champion_version(store)
    note = ChallengerNote(version=champion, parent=champion, requested_by="alice")
    store.write(store.keys.retraining(run_of(DAYS[0]), CHALLENGER), note)
    found = evaluate_challenger(store, run_of(DAYS[0]), in_words=reason_text)
    assert found.decision == NOT_ENOUGH_EVIDENCE, found.reasons
    return store


def gate_of(store, day: date) -> GateResult:
    return store.read(store.keys.retraining(run_of(day), GATE), GateResult)


def compared_again(store, day: date) -> GateResult:
    take_up_waiting(store, run_of(day), day, "alert")
    return evaluate_challenger(store, run_of(day), in_words=reason_text)


def test_it_waits_and_says_so(first) -> None:
    found = gate_of(first, DAYS[0])
    assert (len(found.looks), found.looks_left) == (1, 5)
    assert found.looks[0].confidence == pytest.approx(0.965)
    assert found.rules.gate_confidence == 0.95
    assert "it is compared up to 5 times more" in found.reasons[-1]
    assert waiting(first, run_of(DAYS[1]), DAYS[1]) == found


def test_the_next_alert_compares_it_with_the_days_evaluation_labels_added(first) -> None:
    found = compared_again(first, DAYS[1])
    judged = first.storage.read_table(first.keys.retraining(run_of(DAYS[1]), ONLY_JUDGED))
    assert set(judged["day"]) == {DAYS[1].isoformat()}
    assert set(judged["split"]) == {"evaluation"}
    assert found.recent.n == gate_of(first, DAYS[0]).recent.n + len(judged)
    assert [look.run_key for look in found.looks] == [run_of(DAYS[0]), run_of(DAYS[1])]
    sets = [first.storage.read_bytes(first.keys.retraining(run_of(day), SET)) for day in DAYS[:2]]
    assert sets[0] == sets[1]


def test_a_third_comparison_has_the_labels_of_both_days(first) -> None:
    compared_again(first, DAYS[1])
    found = compared_again(first, DAYS[2])
    judged = first.storage.read_table(first.keys.retraining(run_of(DAYS[2]), ONLY_JUDGED))
    assert set(judged["day"]) == {day.isoformat() for day in DAYS[1:3]}
    assert judged["image_id"].is_unique
    assert len(found.looks) == 3


def test_the_same_run_again_finds_the_same(first) -> None:
    once, note = compared_again(first, DAYS[1]), take_up_waiting(first, run_of(DAYS[1]), DAYS[1], "somebody else")
    assert note.requested_by == "alert"
    assert looks_again(first, run_of(DAYS[1]), DAYS[1])
    assert compared_again(first, DAYS[1]) == once


def test_the_days_that_judge_are_in_order_though_some_came_before_the_set_and_some_after(world, answers) -> None:
    for day in DAYS[:3]:
        world.add_day(day, 40, verdict="alert")
    store = monitor_store(world.storage, world.layout, world.with_config(min_evaluation_labels=5).config)
    collect_training_set(store, run_of(DAYS[1]), DAYS[1], DAYS[1])
    champion = registry.champion_version(store)
    note = ChallengerNote(version=champion, parent=champion, requested_by="alice")
    store.write(store.keys.retraining(run_of(DAYS[1]), CHALLENGER), note)
    assert evaluate_challenger(store, run_of(DAYS[1]), in_words=reason_text).recent_days == tuple(DAYS[:2])
    assert compared_again(store, DAYS[2]).recent_days == tuple(DAYS[:3])


def test_an_alert_that_is_late_finds_no_challenger_that_was_compared_on_a_later_day(first) -> None:
    compared_again(first, DAYS[2])
    assert waiting(first, run_of(DAYS[1]), DAYS[1]) is None
    assert waiting(first, run_of(DAYS[3]), DAYS[3]) == gate_of(first, DAYS[2])


def test_the_card_has_the_alerts_of_every_look(first) -> None:
    for run, alert in ((DAYS[0], DAYS[5]), (DAYS[1], DAYS[6]), (DAYS[2], DAYS[7])):
        first.write(first.keys.of_retraining(run_of(run)).attached_alert(alert), AttachedAlert(day=alert))
    compared_again(first, DAYS[1])
    version = compared_again(first, DAYS[2]).version
    assert registry.card(first, version).alerts == tuple(DAYS[5:8])


def test_a_kill_before_the_note_leaves_nothing_that_a_training_in_its_place_would_be_judged_by(
    first, monkeypatch
) -> None:
    run, write = run_of(DAYS[1]), type(first).write

    def killed(store, key, artifact, *more) -> None:
        if isinstance(artifact, ChallengerNote):
            raise KeyboardInterrupt
        write(store, key, artifact, *more)

    with monkeypatch.context() as patch:
        patch.setattr(type(first), "write", killed)
        with pytest.raises(KeyboardInterrupt):
            take_up_waiting(first, run, DAYS[1], "alert")
    assert first.storage.exists(first.keys.retraining(run, ONLY_JUDGED))
    other = registry.champion(first).model_copy(update={"version": "v0009-00000000"})
    with monkeypatch.context() as patch:
        patch.setattr(registry, "champion", lambda store: other)
        assert not looks_again(first, run, DAYS[1])
    collect_training_set(first, run, DAYS[0], DAYS[1])
    assert not first.storage.exists(first.keys.retraining(run, ONLY_JUDGED))


def test_one_that_turns_out_better_is_promoted_and_waits_no_more(first, answers) -> None:
    answers[:] = [0.3, 0.99]
    found = compared_again(first, DAYS[1])
    assert found.looks_left == 0
    assert not looks_again(first, run_of(DAYS[2]), DAYS[2])


def test_one_that_does_not_seem_better_any_more_is_given_up(first, answers) -> None:
    answers[:] = [0.6, 0.5]
    assert compared_again(first, DAYS[1]).decision == "keep"
    assert waiting(first, run_of(DAYS[2]), DAYS[2]) is None


def test_nobody_waits_after_the_last_day_or_once_another_model_is_champion(world, first, monkeypatch) -> None:
    short = monitor_store(world.storage, world.layout, world.with_config(pending_days=1).config)
    assert waiting(short, run_of(DAYS[1]), DAYS[1]) is not None
    assert waiting(short, run_of(DAYS[2]), DAYS[2]) is None
    pointer = registry.champion(first).model_copy(update={"version": "v0009-00000000"})
    monkeypatch.setattr(registry, "champion", lambda store: pointer)
    assert waiting(first, run_of(DAYS[1]), DAYS[1]) is None
    with pytest.raises(NobodyWaits, match="clear choose_action"):
        take_up_waiting(first, run_of(DAYS[1]), DAYS[1], "alert")


def test_one_whose_model_was_deleted_for_newer_ones_waits_no_more(first) -> None:
    """The next alert trains a new one: its runs failed, and nothing was trained for as long as it would have waited."""
    version = gate_of(first, DAYS[0]).version
    first.storage.delete(registry.model_key(first, registry.card(first, version)))
    assert waiting(first, run_of(DAYS[1]), DAYS[1]) is None
    assert begin_unless_in_the_way(first, DAYS[1], 0, lambda run_id, unfinished: 0) is None
    with pytest.raises(NobodyWaits):
        take_up_waiting(first, run_of(DAYS[1]), DAYS[1], "alert")


def test_without_days_to_wait_the_first_comparison_is_the_last(world, answers) -> None:
    world.add_day(DAYS[0], 40, verdict="alert")
    config = world.with_config(min_evaluation_labels=5, pending_days=0).config
    store = monitor_store(world.storage, world.layout, config)
    collect_training_set(store, run_of(DAYS[0]), DAYS[0], DAYS[0])
    champion = registry.champion_version(store)
    note = ChallengerNote(version=champion, parent=champion, requested_by="alice")
    store.write(store.keys.retraining(run_of(DAYS[0]), CHALLENGER), note)
    found = evaluate_challenger(store, run_of(DAYS[0]), in_words=reason_text)
    assert (found.looks, found.looks_left, found.rules.gate_confidence) == ((), 0, 0.95)


def test_an_alert_within_the_cooldown_compares_again_and_starts_no_cooldown_of_its_own(world, first) -> None:
    def held(day: date, store=first) -> str | None:
        return begin_unless_in_the_way(store, day, 2, lambda run_id, unfinished: 0 if unfinished else 1)

    assert held(DAYS[1]) is None
    compared_again(first, DAYS[1])
    for day in DAYS[3:5]:
        world.add_day(day, 4, verdict="alert")
    done = monitor_store(world.storage, world.layout, world.with_config(pending_days=0).config)
    assert "cooldown" in (held(DAYS[2], done) or "")
    assert held(DAYS[3], done) is None
