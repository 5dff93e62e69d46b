"""How long a model is waited for after its training set was handed over, and what of an alert meanwhile becomes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.cards import model_card
from tests.driftwatch.artifacts import samples
from tests.stores import SMALLEST, monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models.pending import handed_over, pending
from driftwatch.models.requests import attached_alerts, begin_unless_in_the_way
from driftwatch.storage import open_storage

CHAMPION, CHALLENGER = "v0001-2f099e5a", "v0002-00000002"
RUN = "perf_alert__2026-01-08"


@pytest.fixture
def store(tmp_path) -> MonitorStore:
    """Days of data from the 1st to the 31st, and a set that was handed over on labels up to the 8th."""
    config = MonitorConfig.model_validate({**SMALLEST, "retraining": {"handover_days": 5, "cooldown_days": 2}})
    made = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"), config)
    for day in range(1, 32):
        made.storage.write_json(made.keys.day(date(2026, 1, day)).ingest, samples.INGEST)
    made.storage.write_json(made.keys.champion, {"version": CHAMPION})
    hand_over(made, RUN, 8)
    return made


def hand_over(store: MonitorStore, run_key: str, last_day: int) -> None:
    whole = {**samples.HANDOVER, "run_key": run_key, "last_day": f"2026-01-{last_day:02d}"}
    store.storage.write_json(store.keys.of_retraining(run_key).handover.manifest, whole)
    store.storage.write_bytes(store.keys.retraining(run_key, "set.parquet"), b"set")


def waits(store: MonitorStore, day: int) -> str | None:
    found = pending(store, date(2026, 1, day))
    return found.run_key if found else None


def alert(store: MonitorStore, day: int, **runs: int) -> str | None:
    return begin_unless_in_the_way(store, date(2026, 1, day), store.config.retraining.cooldown_days, lambda *_: 0)


def come_back(store: MonitorStore, run_key: str = RUN, **card: Any) -> None:
    store.storage.write_json(store.keys.model_card(CHALLENGER), model_card(version=CHALLENGER, **card).stored())
    note = {"version": CHALLENGER, "parent": CHAMPION, "requested_by": "ours"}
    store.storage.write_json(store.keys.retraining(run_key, "challenger.json"), note)


@pytest.mark.parametrize(("day", "expected"), [(7, RUN), (8, RUN), (13, RUN), (14, None)])
def test_a_model_is_waited_for_so_many_days_of_data(store, day, expected):
    assert waits(store, day) == expected


def test_days_without_data_do_not_use_up_the_wait(store):
    for day in (10, 11, 12):
        store.storage.delete(store.keys.day(date(2026, 1, day)).ingest)
    assert [waits(store, 16), waits(store, 17)] == [RUN, None]


def test_the_wait_ends_when_the_model_was_compared_and_not_when_it_is_only_registered(store):
    come_back(store)
    assert waits(store, 9) == RUN
    come_back(store, gate=samples.GATE)
    assert waits(store, 9) is None


def test_the_wait_ends_when_another_model_is_champion(store):
    store.storage.write_json(store.keys.champion, {"version": "v0009-00000009"})
    assert waits(store, 9) is None


def test_of_two_the_newer_is_waited_for_and_both_are_listed(store):
    hand_over(store, "manual", 10)
    assert [found.run_key for found in handed_over(store)] == ["manual", RUN]
    assert waits(store, 11) == "manual"
    come_back(store, "manual", gate=samples.GATE)
    assert waits(store, 11) is None  # the later one took the place of the earlier one


def test_an_alert_while_a_model_is_waited_for_hands_nothing_over_and_is_attached(store):
    held = alert(store, 12)  # the cooldown of two days is over
    assert held is not None
    assert f"attached to the retraining {RUN}, whose training set was handed over" in held
    assert "retraining.handover_days is 5" in held
    assert attached_alerts(store, RUN) == [date(2026, 1, 12)]
    assert alert(store, 14) is None


def test_the_alert_of_the_hand_over_itself_asks_for_the_same_run_again(store):
    assert alert(store, 8) is None
    assert attached_alerts(store, RUN) == []
