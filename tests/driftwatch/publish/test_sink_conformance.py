"""What each sink must do. A new one is a line in SINKS, and a site in which it is made; whylabs is the stand-in over real HTTP."""

from __future__ import annotations

import hashlib
import time
from datetime import date, timedelta
from typing import Any

import pytest

from driftwatch.artifacts.store import MonitorStore
from driftwatch.credentials import Access
from driftwatch.publish.base import Sink, SinkSite, Slot
from driftwatch.publish.errors import KeyAlreadyUsed, PublishConflict
from driftwatch.publish.sinks import sink_of
from driftwatch.publish.upload import Profile, PublishResult, publish
from driftwatch.storage import open_storage

from .days import DAY, FEATURES, PERFORMANCE, REVISED

SINKS = ["local", "whylabs"]
NEXT = DAY + timedelta(days=1)


@pytest.fixture(params=SINKS)
def site(request, tmp_path, small_monitor, servers) -> SinkSite:
    """A monitor that publishes there, with a place of its own."""
    name = request.param
    section = {"sinks": [name], **({"dataset": "model-1"} if name == "whylabs" else {})}
    config = small_monitor(f"file://{tmp_path}", publish=section)

    server = servers()

    def access(connection: str, secret: str) -> Access:
        return Access(connection, server.url, server.key, {"org_id": "org-1", "retries": 0})

    return SinkSite(MonitorStore(open_storage(config.storage.uri), config), access)


@pytest.fixture
def sink(site) -> Sink:
    return sink_of(site.store.config.publish.sinks[0], site)


def put(sink: Sink, slot: Slot, payload: bytes = FEATURES) -> str:
    sink.send(slot, payload)
    return slot.upload_id


def until_empty(sink: Sink, day: date) -> None:
    end = time.monotonic() + 10
    while not sink.day_is_empty(day):
        assert time.monotonic() < end, f"{day} is still there"
        time.sleep(0.02)


def send(site: SinkSite, sink: Sink, payload: bytes, kind: Any = "features", **more: Any) -> PublishResult:
    reference = more.pop("reference", None)
    key = f"{reference or DAY}.json"
    profile = Profile(kind, DAY, payload, hashlib.sha256(payload).hexdigest(), reference)
    return publish(site.store.storage, key, sink, profile, sleep=lambda seconds: time.sleep(0.02), **more)


def test_it_says_what_is_whose(site, sink):
    assert sink.name == site.store.config.publish.sinks[0]
    assert sink.organisation
    assert sink.dataset
    assert sink.delete_wait_seconds >= 0


def test_a_reservation_counts_nothing_and_shows_no_permission(sink):
    slot = sink.reserve("features", DAY, "key-1", None)
    assert slot.upload_id
    assert slot.address
    assert "address" not in repr(slot)
    assert (sink.profile_count(DAY), sink.day_is_empty(DAY)) == (0, True)


def test_a_profile_is_counted_in_its_day_and_in_no_other(sink):
    put(sink, sink.reserve("features", DAY, "key-1", None))
    assert (sink.profile_count(DAY), sink.day_is_empty(DAY)) == (1, False)
    assert (sink.profile_count(NEXT), sink.day_is_empty(NEXT)) == (0, True)


def test_the_kinds_of_a_day_stand_side_by_side(sink):
    first = put(sink, sink.reserve("features", DAY, "key-1", None))
    second = put(sink, sink.reserve("performance", DAY, "key-2", None), PERFORMANCE)
    assert first != second
    assert sink.profile_count(DAY) == 2


def test_it_says_of_each_kind_whether_another_would_be_added(sink):
    assert not sink.counts_already("features", DAY)
    put(sink, sink.reserve("features", DAY, "key-1", None))
    adds = sink.name == "whylabs"
    assert (sink.counts_already("features", DAY), sink.counts_already("performance", DAY)) == (adds, False)
    assert not sink.counts_already("features", NEXT)
    put(sink, sink.reserve("performance", DAY, "key-2", None), PERFORMANCE)
    assert sink.counts_already("performance", DAY) == adds


def test_a_slot_that_is_filled_twice_counts_once(sink):
    slot = sink.reserve("features", DAY, "key-1", None)
    put(sink, slot)
    put(sink, slot)
    assert sink.profile_count(DAY) == 1


def test_a_key_leads_to_its_slot_again_or_is_refused(sink):
    slot = sink.reserve("features", DAY, "key-1", None)
    try:
        again = sink.reserve("features", DAY, "key-1", None)
    except KeyAlreadyUsed:
        return
    assert again.upload_id == slot.upload_id


def test_a_day_is_deleted_alone_and_wholly_and_can_be_written_again(sink):
    for number, (day, kind) in enumerate([(DAY, "features"), (DAY, "performance"), (NEXT, "features")]):
        put(sink, sink.reserve(kind, day, f"key-{number}", None), PERFORMANCE if kind == "performance" else FEATURES)
    sink.delete_day(DAY)
    until_empty(sink, DAY)
    assert (sink.profile_count(DAY), sink.profile_count(NEXT)) == (0, 1)
    put(sink, sink.reserve("features", DAY, "key-9", None), REVISED)
    assert sink.profile_count(DAY) == 1


def test_an_empty_day_may_be_deleted_and_twice(sink):
    sink.delete_day(DAY)
    sink.delete_day(DAY)
    until_empty(sink, DAY)


def test_a_reference_belongs_to_no_day_and_outlives_it(site, sink):
    assert send(site, sink, FEATURES, "reference", reference="v1").state == "uploaded"
    assert sink.profile_count(DAY) == 0
    send(site, sink, FEATURES)
    send(site, sink, REVISED, revise=True)
    assert send(site, sink, FEATURES, "reference", reference="v1").state == "skipped"
    assert sink.profile_count(DAY) == 1


def test_the_ledger_writes_once_refuses_other_content_and_replaces_a_day_when_told(site, sink):
    assert [send(site, sink, FEATURES).state for _ in range(2)] == ["uploaded", "skipped"]
    send(site, sink, PERFORMANCE, "performance")
    assert sink.profile_count(DAY) == 2
    with pytest.raises(PublishConflict, match="`revise`"):
        send(site, sink, REVISED)
    assert sink.profile_count(DAY) == 2
    revised = send(site, sink, REVISED, revise=True)
    assert (revised.state, revised.revision) == ("revised", 2)
    assert sink.profile_count(DAY) == 2


def test_another_process_finds_the_same_place(site, sink):
    put(sink, sink.reserve("features", DAY, "key-1", None))
    other = sink_of(sink.name, site)
    assert (other.organisation, other.dataset) == (sink.organisation, sink.dataset)
    assert other.profile_count(DAY) == 1
