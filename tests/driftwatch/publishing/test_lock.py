"""The ledger's lock on a real S3 API (moto's server): tasks in different processes never write over each other's entries."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import date

import pytest

from driftwatch.publishing.lock import exclusive
from driftwatch.publishing.outbox import Alert, Outbox
from driftwatch.publishing.publish import publish
from driftwatch.publishing.sinks import LocalSink
from driftwatch.storage import Storage

KEY = "cats/days/2026-01-02/published.json"
LOCK = f"{KEY}.lock"
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def s3_endpoint():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def place(s3_endpoint) -> tuple[str, str]:
    """The endpoint and the URI of an empty storage."""
    bucket = f"bucket-{os.urandom(4).hex()}"
    open_storage(s3_endpoint, f"s3://{bucket}")._fs.mkdir(bucket)
    return s3_endpoint, f"s3://{bucket}/root"


def open_storage(endpoint: str, uri: str) -> Storage:
    import s3fs

    return Storage(uri, s3fs.S3FileSystem(key="k", secret="s", endpoint_url=endpoint, use_listings_cache=False))


def hold(endpoint: str, uri: str, taken, seconds: float) -> None:
    with exclusive(open_storage(endpoint, uri), LOCK, beat_seconds=0.2, stale_seconds=1):
        taken.set()
        time.sleep(seconds)


def publish_both(endpoint: str, uri: str, kinds: tuple[str, ...], together) -> None:
    storage = open_storage(endpoint, uri)
    together.wait(60)
    for kind in kinds:
        for day in range(1, 4):
            sink = LocalSink(storage, "cats", "cats/profiles")
            publish(
                storage, KEY, sink, kind, date(2026, 1, day), kind.encode(), f"hash of {kind}", sleep=lambda _: None
            )


def test_two_tasks_that_write_one_ledger_at_once_lose_no_entry(place):
    together = SPAWN.Barrier(2)
    workers = [
        SPAWN.Process(target=publish_both, args=(*place, kinds, together))
        for kinds in (("features", "performance"), ("performance", "features"))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [worker.exitcode for worker in workers] == [0, 0]
    entries = open_storage(*place).read_json(KEY)["uploads"]
    assert sorted((entry["kind"], entry["day"], entry["state"]) for entry in entries) == [
        (kind, f"2026-01-0{day}", "done") for kind in ("features", "performance") for day in range(1, 4)
    ]
    assert not open_storage(*place).exists(LOCK)


def test_a_holder_that_lives_is_waited_for_and_a_killed_one_is_not_for_long(place):
    storage, taken = open_storage(*place), SPAWN.Event()
    # Longer than a lock takes to be stale: the holder's beats keep it.
    living = SPAWN.Process(target=hold, args=(*place, taken, 2.5))
    living.start()
    assert taken.wait(60)
    begun = time.monotonic()
    with exclusive(storage, LOCK, beat_seconds=0.2, stale_seconds=1):
        assert time.monotonic() - begun > 1.5
        living.join(10)
        assert living.exitcode == 0

    taken.clear()
    dying = SPAWN.Process(target=hold, args=(*place, taken, 60))
    dying.start()
    assert taken.wait(60)
    os.kill(dying.pid, signal.SIGKILL)
    dying.join(10)
    assert storage.exists(LOCK)
    with exclusive(storage, LOCK, beat_seconds=0.2, stale_seconds=1):
        pass
    assert not storage.exists(LOCK)


def test_an_alert_is_told_once_to_each_on_s3_and_leaves_no_lock(place):
    outbox, sent = Outbox(open_storage(*place), "cats/outbox/2026-01-02"), []
    outbox.put("delivery", Alert("empty_day-1", "cats", "2026-01-02", "empty_day", "No image arrived", "text"))
    (alert,) = outbox.alerts()
    for to in ("chat", "mail", "chat"):
        outbox.tell(alert, to, lambda to=to: sent.append(to))
    assert sent == ["chat", "mail"]
    assert not [item.key for item in outbox.storage.list("cats") if item.key.endswith(".lock")]
    outbox.withdraw("delivery")
    assert list(outbox.storage.list("cats")) == []
