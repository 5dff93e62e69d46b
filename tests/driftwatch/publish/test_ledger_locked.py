"""One ledger on a real S3 API (moto's server), and publishers that come between each other: the lock keeps them apart."""

from __future__ import annotations

import multiprocessing
from datetime import date
from typing import Any

import pytest

from driftwatch.publish.local import LocalSink
from driftwatch.publish.upload import Profile, publish
from driftwatch.storage.lock import LockLost

from ..s3 import open_s3

DAY = date(2026, 1, 2)
SPAWN = multiprocessing.get_context("spawn")


def no_sleep(seconds: float) -> None:
    """Time passes at once."""


@pytest.mark.parametrize("frozen_in", ["reserve", "day_is_empty"])
def test_a_publisher_that_was_frozen_before_it_sends_sends_nothing(s3_storage, frozen_in):
    key = "cats/published.json"
    sent: list[bytes] = []

    class Sink(LocalSink):
        def send(self, slot, payload):
            sent.append(payload)
            super().send(slot, payload)

    class Frozen(Sink):
        def thaws(self) -> None:
            """Another task has taken the lock over meanwhile, done the work and gone."""
            s3_storage.write_bytes(f"{key}.lock", b"free after a takeover")
            send(Sink(s3_storage, "cats", "cats/profiles"), b"content", revise=frozen_in == "day_is_empty")

        def reserve(self, *args):
            if frozen_in == "reserve":
                self.thaws()
            return super().reserve(*args)

        def day_is_empty(self, day):
            empty = super().day_is_empty(day)
            if frozen_in == "day_is_empty":
                self.thaws()
            return empty

    def send(sink, payload, revise=False):
        publish(s3_storage, key, sink, Profile("features", DAY, payload, payload.hex()), revise=revise, sleep=no_sleep)

    if frozen_in == "day_is_empty":
        send(Sink(s3_storage, "cats", "cats/profiles"), b"old content")
    with pytest.raises(LockLost, match=r"taken over by another task.*run the task again"):
        send(Frozen(s3_storage, "cats", "cats/profiles"), b"content", revise=frozen_in == "day_is_empty")
    assert sent.count(b"content") == 1
    states = [entry["state"] for entry in s3_storage.read_json(key)["uploads"]]
    assert states == (["done"] if frozen_in == "reserve" else ["replaced", "done"])


def publish_both(endpoint: str, uri: str, kinds: tuple[str, ...], together: Any) -> None:
    storage = open_s3(endpoint, uri)
    together.wait(60)
    for kind in kinds:
        for day in range(1, 4):
            sink = LocalSink(storage, "cats", "cats/profiles")
            profile = Profile(kind, date(2026, 1, day), kind.encode(), f"hash of {kind}")
            publish(storage, "p.json", sink, profile, sleep=no_sleep)


def test_two_processes_that_write_one_ledger_at_once_lose_no_entry(s3_endpoint, s3_storage):
    together = SPAWN.Barrier(2)
    workers = [
        SPAWN.Process(target=publish_both, args=(s3_endpoint, s3_storage.uri, kinds, together))
        for kinds in (("features", "performance"), ("performance", "features"))
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [worker.exitcode for worker in workers] == [0, 0]
    entries = s3_storage.read_json("p.json")["uploads"]
    assert sorted((entry["kind"], entry["day"], entry["state"]) for entry in entries) == [
        (kind, f"2026-01-0{day}", "done") for kind in ("features", "performance") for day in range(1, 4)
    ]
