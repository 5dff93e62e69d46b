"""What a look at a monitor finds: of each kind with it and without it."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone

import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import SMALLEST, monitor_store

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.reference import AcceptedState, BaselineDecision
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.watch.findings import LateDays
from driftwatch.watch.look import (
    champion_missing,
    look,
    pool_unanswered,
    reference_old,
    spend_near_limit,
    storage_not_writable,
)

AT = datetime(2026, 1, 21, 12, tzinfo=timezone.utc)
DAY = date(2026, 1, 20)


def of(folder, **sections):
    config = MonitorConfig.model_validate({**SMALLEST, **sections})
    return monitor_store(open_storage(f"file://{folder}"), MonitorKeys("demo"), config)


@pytest.fixture
def store(tmp_path):
    return of(tmp_path)


def put_plan(store, day: date = DAY, cost: float = 10.0, **changes) -> None:
    raw = {name: value for name, value in samples.PLAN.items() if name not in ("progress", "close_reason")}
    given = {"state": "opened", "expires": (AT + timedelta(hours=30)).isoformat(), **changes}
    whole = {**raw, **given, "day": day.isoformat(), "cost": {**raw["cost"], "total": cost}}
    store.day(day).write(AnnotationPlan.model_validate_json(json.dumps(whole)))


def put_champion(store) -> str:
    store.storage.write_json(store.keys.model_card(samples.VERSION), samples.CARD)
    store.write(store.keys.champion, ChampionPointer(version=samples.VERSION))
    key = store.keys.model(samples.VERSION)
    store.storage.write_bytes(key, b"model")
    return key


def test_a_champion_is_missing_before_the_first_and_when_its_file_is_gone(store):
    assert "driftwatch champion train" in champion_missing(store, AT).reason
    key = put_champion(store)
    assert champion_missing(store, AT) is None
    store.storage.delete(key)
    assert f"{key}, the file of the champion {samples.VERSION}, is gone" in champion_missing(store, AT).reason


def test_spend_is_told_from_its_share_of_the_months_limit_on(tmp_path):
    labels = {**SMALLEST["annotation"], "max_cost_per_month": 100}
    store = of(tmp_path, annotation=labels)
    put_plan(store, date(2025, 12, 31), cost=90)  # another month
    put_plan(store, date(2026, 1, 19), cost=50)
    put_plan(store, AT.date(), cost=29)
    assert spend_near_limit(store, AT) is None
    put_plan(store, DAY, cost=1)
    found = spend_near_limit(store, AT)
    assert (found.month, found.spent, found.limit) == ("2026-01", 80.0, 100.0)
    assert spend_near_limit(of(tmp_path, annotation=labels, watch={"spend_share": 0.81}), AT) is None


def test_a_pool_is_told_when_nobody_has_answered_for_hours_and_not_before(tmp_path):
    store = of(tmp_path, watch={"pool_hours": 18})  # 48 hours, of which 30 are left
    put_plan(store)
    found = pool_unanswered(store, AT)
    assert (found.day, found.since) == (DAY, AT - timedelta(hours=18))
    assert pool_unanswered(store, AT - timedelta(minutes=1)) is None
    progress = {**samples.PROGRESS, "answers": 0}
    store.day(DAY).write(AnnotationProgress.model_validate_json(json.dumps(progress)))
    assert pool_unanswered(store, AT) is not None
    store.day(DAY).write(AnnotationProgress.model_validate_json(json.dumps({**progress, "answers": 1})))
    assert pool_unanswered(store, AT) is None


@pytest.mark.parametrize("changes", [{"state": "closed"}, {"expires": "2026-01-21T11:00:00+00:00"}])
def test_a_pool_that_has_ended_is_waited_for_by_its_day_alone(store, changes):
    put_plan(store, **changes)
    assert pool_unanswered(store, AT) is None


def test_a_storage_is_tried_by_a_file_that_is_taken_away_again(store, tmp_path):
    assert storage_not_writable(store, AT) is None
    assert not store.storage.exists(store.keys.watch_probe)
    (tmp_path / "demo").rmdir()
    (tmp_path / "demo").write_text("a file where the folder belongs")
    found = storage_not_writable(store, AT)
    assert str(tmp_path) in found.place
    assert found.reason


def put_day(store, day: date, version: str = samples.VERSION) -> None:
    store.day(day).write(Ingest.model_validate_json(json.dumps({**samples.INGEST, "model_version": version})))


def test_a_reference_is_old_when_it_was_used_so_long_ago_and_nothing_newer_was_accepted(tmp_path):
    store = of(tmp_path, watch={"reference_days": 10})
    put_champion(store)
    put_day(store, date(2026, 1, 9), "v0001-00000001")
    put_day(store, DAY)
    assert reference_old(store, AT) is None
    put_day(store, date(2026, 1, 11))
    found = reference_old(store, AT)
    assert (found.version, found.used_on) == (samples.VERSION, date(2026, 1, 11))
    assert reference_old(of(tmp_path, watch={"reference_days": 0}), AT) is None
    accepted = BaselineDecision(what="accepted", by="a", at=AT, reason="winter")
    state = AcceptedState(name="winter", days=(date(2026, 1, 12),), images=10, history=(accepted,))
    store.write(store.keys.state("winter"), state)
    assert reference_old(store, AT) is None


def test_what_cannot_be_looked_at_is_named_and_stops_nothing_else(store):
    put_champion(store)
    store.storage.write_bytes(store.keys.day(AT.date()).annotation, b"{")
    looked = look(store, AT, AT.date())
    assert looked.kinds == {"late_day", "champion_missing", "reference_old"}
    assert [problem.split(" cannot")[0] for problem in looked.problems] == [
        "demo: spend_near_limit", "demo: pool_unanswered",
    ]  # fmt: skip
    assert look(store, AT, AT.date(), only=(LateDays,)).kinds == {"late_day"}


def test_a_monitor_of_which_nothing_is_wrong_has_no_finding(store):
    put_champion(store)
    assert look(store, AT, AT.date()).findings == ()
