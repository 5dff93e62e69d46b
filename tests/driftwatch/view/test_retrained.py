"""What an alert led to: each end that a retraining can come to, read from what it left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.cards import model_card
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed

from driftwatch.artifacts.decision import RetrainingDecision
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.keys import CHALLENGER, DATASET_CARD, GATE, MonitorKeys
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.publishing import OutboxAlert
from driftwatch.artifacts.reference import AcceptedState, BaselineDecision
from driftwatch.artifacts.retraining import AttachedAlert, GateResult, RetrainingRequest
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.view import tones
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.retrained import Outcome, of_alert

DAY, RUN = date(2026, 1, 8), "perf_alert__2026-01-08"
OLD, NEW = "v0001-0a1b2c3d", "v0002-4e5f6071"


@pytest.fixture
def store(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorStore:
    uri = f"file://{tmp_path}"
    return MonitorStore(open_storage(uri), small_monitor(uri))


def decided(store: MonitorStore, day: date = DAY, **changes: Any) -> None:
    store.day(day).write(RetrainingDecision(verdict="alert", **({"run_id": RUN} | changes)))


def gated(store: MonitorStore, decision: str, **changes: Any) -> None:
    result = typed(GateResult, samples.GATE, decision=decision, version=NEW, champion=OLD, **changes)
    store.write(store.keys.retraining(RUN, GATE), result)


def outcome(store: MonitorStore, day: date = DAY) -> Outcome:
    found = of_alert(Artifacts(store), day)
    assert found is not None
    return found


def test_a_day_without_an_alert_led_to_nothing(store: MonitorStore) -> None:
    assert of_alert(Artifacts(store), DAY) is None
    store.day(DAY).write(RetrainingDecision(verdict="ok"))
    assert of_alert(Artifacts(store), DAY) is None


def test_an_alert_that_was_held_back_says_why(store: MonitorStore) -> None:
    decided(store, run_id=None, held="the alert of 2026-01-07 started one within retraining.cooldown_days (3)")
    found = outcome(store)
    assert (found.state, found.tone, found.run_id) == ("held", tones.WARN, None)
    assert "started no retraining: the alert of 2026-01-07 started one within" in found.said


def test_an_alert_within_the_cooldown_says_what_the_retraining_before_came_to(store: MonitorStore) -> None:
    later = date(2026, 1, 10)
    decided(store, later, run_id=None, held="the alert of 2026-01-08 started one within retraining.cooldown_days (3)")
    gated(store, "keep")
    found = outcome(store, later)
    assert (found.state, found.version, found.run_id) == ("held", NEW, RUN)
    assert found.said.endswith(f"The retraining {RUN} made {NEW}. The gate refused it, and {OLD} serves as before.")


def test_a_retraining_is_followed_step_by_step(store: MonitorStore) -> None:
    decided(store)
    keys = store.keys
    assert outcome(store).state == "asked_for"
    store.storage.write_json(keys.retraining(RUN, DATASET_CARD), samples.DATASET_CARD)
    assert outcome(store).state == "training"
    store.storage.write_json(keys.retraining(RUN, CHALLENGER), {**samples.CHALLENGER, "version": NEW})
    assert (outcome(store).state, outcome(store).version) == ("comparing", NEW)
    gated(store, "promote")
    assert outcome(store).state == "passed"
    store.write(keys.champion, ChampionPointer(version=NEW, previous=OLD, promoted_by=RUN, history=(OLD, NEW)))
    found = outcome(store)
    assert (found.state, found.tone, found.run_id, found.version) == ("promoted", tones.GOOD, RUN, NEW)
    assert f"{NEW}, which passed the gate and was promoted instead of {OLD}" in found.said
    third = "v0003-11111111"
    store.write(keys.champion, ChampionPointer(version=third, previous=NEW, history=(OLD, NEW, third)))
    assert outcome(store).said.endswith(f"Since then {third} took its place.")


def test_a_promotion_says_whether_its_days_are_usual_since(store: MonitorStore) -> None:
    decided(store)
    gated(store, "promote")
    store.write(store.keys.champion, ChampionPointer(version=NEW, previous=OLD, history=(OLD, NEW)))
    assert not outcome(store).accepted
    by = BaselineDecision(what="accepted", by="us", at=datetime(2026, 1, 9, tzinfo=timezone.utc), reason="new camera")
    store.write(store.keys.state("january"), AcceptedState(name="january", days=(DAY,), images=60, history=(by,)))
    assert outcome(store).accepted


@pytest.mark.parametrize(("decision", "state"), [("keep", "refused"), ("not_enough_evidence", "too_little_evidence")])
def test_the_gate_that_refuses_says_why(store: MonitorStore, decision: str, state: str) -> None:
    decided(store)
    gated(store, decision, reasons=["Recent days: not better."], looks_left=2)
    found = outcome(store)
    assert (found.state, found.reasons) == (state, ("Recent days: not better.",))
    assert f"{OLD} serves as before" in found.said


def test_a_day_without_an_alert_tells_of_the_challenger_that_waits_for_its_labels(store: MonitorStore) -> None:
    later, run = date(2026, 1, 9), "perf_alert__2026-01-09"
    store.day(later).write(RetrainingDecision(verdict="ok", run_id=run))
    looks = [{"run_key": key, "day": key[-10:], "labels": 60, "confidence": 0.96} for key in (RUN, run)]
    waits = {"decision": "not_enough_evidence", "version": NEW, "champion": OLD, "looks": looks, "looks_left": 3}
    store.write(store.keys.retraining(run, GATE), typed(GateResult, samples.GATE, **waits))
    found = outcome(store, later)
    assert (found.state, found.run_id) == ("too_little_evidence", run)
    assert found.said.startswith(f"The retraining {run} compared {NEW} again.")
    assert found.said.endswith("It waits for the labels of more days.")


def test_a_failed_retraining_says_where_and_why(store: MonitorStore) -> None:
    decided(store)
    message = "Retraining failed.\n\n  failed: train_challenger\n  reason: the disk is full\n\nWhat to do: nothing"
    alert = OutboxAlert(id="x", monitor="demo", day="", kind="retraining", subject="Retraining failed", message=message)
    store.write(f"{store.keys.of_retraining(RUN).outbox}/retraining_failed.json", alert)
    found = outcome(store)
    assert (found.state, found.tone) == ("failed", tones.BAD)
    assert f"The retraining {RUN} failed: train_challenger, the disk is full." in found.said


def test_a_set_that_was_handed_over_is_waited_for(store: MonitorStore) -> None:
    decided(store)
    store.write(store.keys.of_retraining(RUN).handover.manifest, typed(Handover, samples.HANDOVER))
    assert (outcome(store).state, outcome(store).tone) == ("handed_over", tones.WAITING)


def test_a_model_that_the_team_brought_is_followed_in_the_run_that_compares_it(store: MonitorStore) -> None:
    """It was said to be compared for ever: before its comparison was started, and after it was refused or promoted."""
    third, own = "v0003-11111111", f"challenger__{NEW}"
    keys = store.keys
    decided(store)
    handed = typed(Handover, samples.HANDOVER, champion=OLD)
    store.write(keys.of_retraining(RUN).handover.manifest, handed)
    store.write(keys.champion, ChampionPointer(version=OLD, history=(OLD,)))
    card = model_card()
    brought = card.model_copy(update={"version": NEW, "data": card.data.model_copy(update={"run_key": RUN})})
    store.write(keys.model_card(NEW), brought)
    store.storage.write_json(keys.retraining(RUN, CHALLENGER), {**samples.CHALLENGER, "version": NEW})

    assert outcome(store).said == (
        f"For the retraining {RUN} the team brought {NEW}. Its comparison, run {own}, has not begun."
    )
    assert (outcome(store).state, outcome(store).tone) == ("brought", tones.WAITING)
    store.storage.write_json(keys.retraining(own, CHALLENGER), {**samples.CHALLENGER, "version": NEW})
    assert (outcome(store).state, outcome(store).run_id) == ("comparing", own)

    gate = typed(GateResult, samples.GATE, decision="keep", version=NEW, champion=OLD, run_key=own)
    store.write(keys.model_card(NEW), brought.model_copy(update={"gate": gate}))
    assert (outcome(store).state, outcome(store).run_id, outcome(store).version) == ("refused", own, NEW)
    assert outcome(store).said.startswith(f"For the retraining {RUN} the team brought {NEW}. The gate refused it")

    passed = gate.model_copy(update={"decision": "promote"})
    store.write(keys.model_card(NEW), brought.model_copy(update={"gate": passed}))
    store.write(keys.champion, ChampionPointer(version=NEW, previous=OLD, history=(OLD, NEW)))
    assert (outcome(store).state, outcome(store).run_id) == ("promoted", own)
    # Another try for the same set, which nobody compared, hides nothing of the one that serves.
    store.storage.write_json(keys.retraining(RUN, CHALLENGER), {**samples.CHALLENGER, "version": third})
    assert (outcome(store).state, outcome(store).version) == ("promoted", NEW)


def test_a_set_whose_champion_was_replaced_is_waited_for_no_more(store: MonitorStore) -> None:
    decided(store)
    store.write(store.keys.of_retraining(RUN).handover.manifest, typed(Handover, samples.HANDOVER, champion=OLD))
    store.write(store.keys.champion, ChampionPointer(version=NEW, previous=OLD, history=(OLD, NEW)))
    assert (outcome(store).state, outcome(store).said.endswith(f"Since then {NEW} became the champion.")) == (
        "replaced",
        True,
    )


def test_an_alert_that_is_attached_to_a_retraining_follows_that_one(store: MonitorStore) -> None:
    later = date(2026, 1, 9)
    decided(store, later, run_id=None, held=f"it is attached to the retraining {RUN}, which is under way")
    store.write(store.keys.active_retraining, RetrainingRequest(run_key=RUN, run_id=RUN, day=DAY))
    store.write(store.keys.of_retraining(RUN).attached_alert(later), AttachedAlert(day=later))
    gated(store, "keep", reasons=["Recent days: not better."])
    found = outcome(store, later)
    assert (found.state, found.run_id) == ("refused", RUN)
    assert found.said.startswith("The alert started no retraining: it is attached")


def test_a_retraining_of_a_day_that_an_early_driftwatch_judged_is_found_by_its_name(store: MonitorStore) -> None:
    gated(store, "keep")
    assert outcome(store).state == "refused"


def test_a_damaged_file_is_as_none_and_stops_no_page(store: MonitorStore) -> None:
    decided(store)
    store.storage.write_bytes(store.keys.retraining(RUN, GATE), b"{")
    store.storage.write_bytes(store.keys.champion, b"{")
    assert outcome(store).state == "asked_for"
    store.storage.write_bytes(MonitorKeys("demo").day(DAY).decision, b"{")
