"""After a promotion the days that it was for are accepted, or a person is asked, as the monitor file says."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.reference import BaselineDecision
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift.accepted import accept, withdraw
from driftwatch.drift.retrained_days import settle_retrained_days
from driftwatch.drift.states import accepted_states
from driftwatch.storage import open_storage

from .days import features_of, monitor, put_features

CALM, BROKEN, WORSE = (date(2026, 1, day) for day in (7, 8, 9))
AT = datetime(2026, 1, 10, 8, tzinfo=timezone.utc)


@pytest.fixture
def store(tmp_path) -> MonitorStore:
    """Three days that a retraining was for; the images of the first were as usual."""
    store = monitor(open_storage(f"file://{tmp_path}"))
    days = [str(day) for day in (CALM, BROKEN, WORSE)]
    store.storage.write_json(store.keys.retraining("r1", "gate.json"), {**samples.GATE, "recent_days": days})
    for number, day in enumerate((CALM, BROKEN, WORSE)):
        put_features(store.day(day), features_of(60, number))
        verdict = "ok" if day == CALM else "drifted"
        drift = {**samples.DAY_DRIFT, "day": str(day), "verdict": verdict}
        store.storage.write_json(store.keys.day(day).drift, drift)
    return store


def settled(store: MonitorStore, setting: str) -> Any:
    changed = {**store.config.model_dump(exclude_unset=True), "reference": {"accept_after_promotion": setting}}
    return settle_retrained_days(store.with_config(MonitorConfig.model_validate(changed)), "r1", "run r1", AT)


def test_by_default_a_person_is_asked_about_the_days_that_had_drifted(store):
    found = settled(store, "propose")
    assert (found.days, found.state) == ((BROKEN, WORSE), None)
    assert accepted_states(store) == []


def test_auto_accepts_them_once_with_the_run_and_the_model_as_the_reason(store):
    first, again = settled(store, "auto"), settled(store, "auto")
    assert first == again
    (state,) = accepted_states(store)
    assert (state.name, state.days) == ("2026-01-08_2026-01-09", (BROKEN, WORSE))
    (decision,) = state.history
    assert (decision.by, decision.at) == ("run r1", AT)
    assert samples.GATE["version"] in decision.reason


def test_never_neither_asks_nor_accepts(store):
    assert settled(store, "never").days == ()
    assert accepted_states(store) == []


def test_what_a_person_accepted_is_not_asked_about_again_and_what_was_withdrawn_is_not_accepted_unasked(store):
    state = settled(store, "auto").state
    assert settled(store, "propose").state == state
    withdraw(store, state.name, state.history[0].model_copy(update={"what": "withdrawn"}))
    assert settled(store, "propose").days == (BROKEN, WORSE)
    assert (settled(store, "auto").days, settled(store, "auto").state) == ((BROKEN, WORSE), None)


def test_a_day_of_which_one_segment_alone_had_other_content_is_one_of_them(store):
    door = {"kind": "content", "by": "camera", "name": "door-1", "images": 60, "status": "drifted"}
    calm = {"verdict": "ok", "p_value": 0.5}
    answers = {**samples.CONTENT_DRIFT, "content": {**samples.CONTENT_DRIFT["content"], **calm}, "segments": [door]}
    answers["predictions"] = {**samples.CONTENT_DRIFT["predictions"], **calm}
    store.storage.write_json(store.keys.day(CALM).file("content_drift.json"), {**answers, "day": str(CALM)})
    assert settled(store, "propose").days == (CALM, BROKEN, WORSE)


def test_where_one_of_the_days_was_accepted_before_the_others_are_accepted_once_and_not_after_a_withdrawal(store):
    decision = BaselineDecision.model_validate({"what": "accepted", "by": "ann", "at": AT, "reason": "a new lens"})
    accept(store, [BROKEN], decision)
    first, again = settled(store, "auto"), settled(store, "auto")
    assert (first.days, first.state.days) == ((WORSE,), (WORSE,))
    assert first == again
    withdraw(store, first.state.name, decision.model_copy(update={"what": "withdrawn"}))
    assert (settled(store, "auto").days, settled(store, "auto").state) == ((WORSE,), None)


@pytest.mark.parametrize("alike", [False, True])
def test_days_that_cannot_be_accepted_are_named_for_a_person_and_the_promotion_stands(store, caplog, alike):
    for number, day in enumerate((BROKEN, WORSE)):
        rows = 60 if alike else 20
        put_features(store.day(day), features_of(rows, number), phash="00" * 8 if alike else None)
    found = settled(store, "auto")
    assert (found.days, found.state, accepted_states(store)) == ((BROKEN, WORSE), None, [])
    assert ("at least 50 images" if alike else "40 images are too few for a state") in caplog.text
