"""The ledger's promise with our WhyLabs client and the stand-in, over real HTTP."""

from __future__ import annotations

import hashlib
import itertools
import time
from datetime import date, timedelta

import pytest

from driftwatch.publish.errors import PublishConflict, PublishPending, SinkError
from driftwatch.publish.upload import Profile, publish
from driftwatch.publish.whylabs.sink import WhyLabsSink
from driftwatch.storage import Storage, open_storage

from ..days import DAY, FEATURES, PERFORMANCE, REVISED, counted, counts

LEDGER = "cats/days/2026-01-02/published.json"


def send(storage: Storage, sink: WhyLabsSink, payload: bytes, kind: str, revise: bool = False, day: date = DAY):
    content_hash = hashlib.sha256(payload).hexdigest()
    ledger = f"cats/days/{day}/published.json"
    profile = Profile(kind, day, payload, content_hash)
    return publish(storage, ledger, sink, profile, revise=revise, sleep=lambda seconds: None)


def test_the_ledger_over_http_skips_refuses_and_revises(server, tmp_path):
    storage, sink = open_storage(f"file://{tmp_path}"), WhyLabsSink(server.api())
    states = [send(storage, sink, payload, "features").state for payload in (FEATURES, FEATURES)]
    send(storage, sink, PERFORMANCE, "performance")
    with pytest.raises(PublishConflict, match=r"features of .*would count the day twice.*with the parameter `revise`"):
        send(storage, sink, REVISED, "features")
    before = counted(server)
    revised = send(storage, sink, REVISED, "features", revise=True)

    assert states == ["uploaded", "skipped"]
    assert before == (40, 3)
    assert (revised.state, revised.revision) == ("revised", 2)
    assert counted(server) == (50, 3)


def test_a_revision_waits_until_the_day_is_gone(servers, tmp_path):
    server = servers(delete_seconds=0.5)
    storage, sink = open_storage(f"file://{tmp_path}"), WhyLabsSink(server.api(), delete_wait_seconds=60)
    send(storage, sink, FEATURES, "features")
    content_hash = hashlib.sha256(REVISED).hexdigest()
    profile = Profile("features", DAY, REVISED, content_hash)
    publish(storage, LEDGER, sink, profile, revise=True, sleep=lambda seconds: time.sleep(0.1))

    assert counted(server) == (50, 0)


CALLS = {
    "reserve": ("POST", "/v1/log/async"),
    "send": ("PUT", "/upload/"),
    "delete": ("DELETE", "/dataset-profiles/"),
    "deletions": ("GET", "/delete-requests/"),
    "count": ("POST", "/metric-timeseries"),
}
FAULTS = [
    ("error_before", {"status": 500}),
    ("error_before", {"status": 403}),
    ("error_after_commit", {"status": 500}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("rate_limit", {"seconds": 1}),
    ("html_502", {}),
]
STEPS = [(FEATURES, "features", False), (PERFORMANCE, "performance", False), (REVISED, "features", True)]


@pytest.mark.all_faults
@pytest.mark.parametrize(
    ("call", "idempotency"),
    [
        pytest.param(call, idempotency, marks=pytest.mark.all_faults("one idempotency for each call") if other else ())
        for number, call in enumerate(CALLS)
        for idempotency, other in (("replay", number % 2), ("refuse", not number % 2))
    ],
)
def test_every_fault_at_every_call_ends_with_the_same_counts(servers, tmp_path, call, idempotency, pytestconfig):
    server, storage = servers(idempotency=idempotency), open_storage(f"file://{tmp_path}")
    cases = [
        (DAY + timedelta(n), *case) for n, case in enumerate(itertools.product(FAULTS, ((1, 0), (2, 1), (None, 0))))
    ]
    if not pytestconfig.getoption(
        "--all-faults"
    ):  # half of the faults, each as often as one of the three says, in turn
        turn = [*CALLS].index(call) + ("replay", "refuse").index(idempotency)
        cases = [cases[3 * n + (n + turn) % 3] for n in range(turn % 2, len(FAULTS), 2)]
    for day, (fault, more), (times, retries) in cases:
        sink = WhyLabsSink(server.api(retries=retries), delete_wait_seconds=0)
        server.fault(*CALLS[call], fault, times=times, **more)
        for step in STEPS:
            for _ in range(3):  # Airflow's retries
                try:
                    send(storage, sink, *step, day=day)
                    break
                except (SinkError, PublishPending) as error:
                    reason = str(error)
            else:
                assert times is None
                assert any(word in reason for word in ("HTTP 4", "HTTP 5", "network")), reason
                server.clear()
                send(storage, sink, *step, day=day)
        server.clear()

    found = counts(server)
    assert [case for case in cases if found.get(case[0]) != (50, 3)] == []
