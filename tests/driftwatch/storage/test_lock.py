"""The lock on a real S3 API (moto's server) and on a file system: each order of two holders that could go wrong, forced."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any

import pytest

from driftwatch.errors import NeedsAttention, StorageRefused
from driftwatch.outside import watching
from driftwatch.publish.local_sink import LocalSink
from driftwatch.publish.publish import Profile, publish
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.lock import LockHeld, LockLost, LockUnconfirmed, exclusive

from ..s3 import open_s3

LOCK = "cats/some.lock"
DEAD = b"process 1 on a machine that is gone 0123 7\n"
DAY = date(2026, 1, 2)
SPAWN = multiprocessing.get_context("spawn")


def no_sleep(seconds: float) -> None:
    """Time passes at once."""


def held(storage: Storage, sleep: Callable[[float], None] = no_sleep, beat_seconds: float = 3600):
    """The lock without a beat of its own unless `beat_seconds` is short."""
    return exclusive(storage, LOCK, beat_seconds, 4 * beat_seconds, wait_seconds=1e9, sleep=sleep)


@contextmanager
def before(what: str, act: Callable[[], None]) -> Iterator[None]:
    """Calls `act` before the first time that the outside is touched so."""
    waiting = [act]

    def watch(when: str, touched: str) -> None:
        if (when, touched) == ("before", what) and waiting:
            waiting.pop()()

    with watching(watch):
        yield
    assert not waiting, f"{what} was never touched"


def test_many_at_once_work_one_after_the_other(storage):
    storage.write_json("cats/count.json", 0)

    def count() -> None:
        for _ in range(2):
            with exclusive(storage, LOCK, beat_seconds=0.01, stale_seconds=600):
                storage.write_json("cats/count.json", storage.read_json("cats/count.json") + 1)

    together(*[count] * 3)
    assert storage.read_json("cats/count.json") == 6


def together(*work: Callable[[], None]) -> None:
    """Runs them at once, each in a thread, and passes their errors on."""
    errors: list[BaseException] = []

    def run(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors


def test_of_two_who_wait_for_a_dead_holder_one_takes_over_and_the_other_waits_for_it(s3_storage):
    s3_storage.write_bytes(LOCK, DEAD)
    order, second = [], held(s3_storage)

    def overtakes() -> None:
        second.__enter__()
        order.append("second holds")

    def lets_go(seconds: float) -> None:
        if order:
            order.append("second lets go")
            second.__exit__(None, None, None)

    # Both have seen the lock unchanged for long enough; the second is faster.
    with before(f"storage replace {LOCK}", overtakes), held(s3_storage, lets_go):
        order.append("first holds")
    assert order == ["second holds", "second lets go", "first holds"]


def test_of_two_who_decide_at_the_same_moment_to_take_over_one_holds_and_the_other_waits_for_it(s3_storage):
    s3_storage.write_bytes(LOCK, DEAD)
    decided, both = set[int](), threading.Barrier(2)
    order: list[str] = []

    def watch(when: str, touched: str) -> None:
        """Neither writes before both have seen the lock unchanged for long enough."""
        thread = threading.get_ident()
        if (when, touched) == ("before", f"storage replace {LOCK}") and thread not in decided:
            decided.add(thread)
            both.wait(20)

    def sleep(seconds: float) -> None:
        time.sleep(0.02 if len(decided) == 2 else 0)  # the dead one's time passes at once, a living one's does not

    def works() -> None:
        with held(s3_storage, sleep) as lock:
            order.append("begins")
            time.sleep(0.1)
            lock.check()
            order.append("ends")

    with watching(watch):
        together(works, works)
    assert len(decided) == 2
    assert order == ["begins", "ends"] * 2


def test_a_holder_that_lives_is_waited_for_however_long_it_takes(s3_storage):
    holder = held(s3_storage)
    lock, pauses = holder.__enter__(), []

    def beats(seconds: float) -> None:
        pauses.append(seconds)
        if sum(pauses) < 6 * 3600:  # it would be stale after four hours
            lock.check()
        else:
            holder.__exit__(None, None, None)

    with held(s3_storage, beats):
        assert sum(pauses) >= 6 * 3600


def test_a_holder_that_thaws_takes_nothing_from_its_successor(s3_storage):
    first, second = held(s3_storage), held(s3_storage)
    lock = first.__enter__()
    successor = second.__enter__()  # after the first has not answered for long
    there = s3_storage.read_bytes(LOCK)
    with pytest.raises(LockLost, match="taken over by another task"):
        lock.check()
    with pytest.raises(LockLost):
        first.__exit__(None, None, None)
    assert s3_storage.read_bytes(LOCK) == there
    successor.check()
    second.__exit__(None, None, None)
    assert s3_storage.read_bytes(LOCK).startswith(b"free")


def test_a_lock_that_was_lost_and_set_free_again_is_lost(s3_storage):
    with pytest.raises(LockLost), held(s3_storage), held(s3_storage):
        pass
    with pytest.raises(ZeroDivisionError), held(s3_storage), held(s3_storage):
        1 / 0  # noqa: B018 - the block's own error says more than the lock


def test_a_beat_that_fails_is_tried_again_and_the_lock_stays(s3_storage):
    beaten, failures = threading.Event(), iter(range(3))

    def watch(when: str, touched: str) -> None:
        if threading.current_thread().name != f"lock {LOCK}":
            return
        if when == "before" and next(failures, None) is not None:
            raise OSError("the network is away")
        if when == "after":
            beaten.set()

    with watching(watch), held(s3_storage, beat_seconds=0.02) as lock:
        first = s3_storage.read_bytes(LOCK)
        assert beaten.wait(20)
        assert s3_storage.read_bytes(LOCK) != first
        lock.check()


def test_a_holder_that_cannot_reach_the_storage_is_told_and_lets_the_lock_grow_stale(s3_storage, caplog):
    pauses: list[float] = []

    def away(when: str, touched: str) -> None:
        raise OSError("the network is away")

    with ExitStack() as until_the_end, held(s3_storage, pauses.append) as lock:
        with watching(away), pytest.raises(LockUnconfirmed, match=r"cannot be reached .*the network is away"):
            lock.check()
        assert len(pauses) == 3
        lock.check()  # nobody came between
        until_the_end.enter_context(watching(away))
    assert "others take it over" in caplog.text
    with held(s3_storage):
        pass


def test_a_server_without_conditional_writes_and_a_missing_bucket_are_named(s3_storage, monkeypatch):
    from botocore.exceptions import ClientError

    def refuses(*args, **kwargs):
        answer = {"Error": {"Code": "NotImplemented"}, "ResponseMetadata": {"HTTPStatusCode": 501}}
        raise OSError("not implemented") from ClientError(answer, "PutObject")

    with (
        pytest.raises(StorageRefused, match="there is no such bucket"),
        held(open_storage("s3://no-such-bucket/x", s3_storage._fs)),
    ):
        pass
    call = s3_storage._fs.call_s3
    monkeypatch.setattr(s3_storage._fs, "call_s3", refuses)
    with pytest.raises(NeedsAttention, match="knows no conditional writes"), held(s3_storage):
        pass

    def ignores(*args, IfMatch=None, IfNoneMatch=None, **kwargs):
        return call(*args, **kwargs)

    monkeypatch.setattr(s3_storage._fs, "call_s3", ignores)
    with pytest.raises(NeedsAttention, match="although the condition If-Match is false"), held(s3_storage):
        pass


def test_a_holder_that_hangs_is_named_to_those_who_wait(storage):
    waiting = exclusive(storage, LOCK, stale_seconds=1e9, wait_seconds=60, sleep=no_sleep)
    with held(storage), pytest.raises(LockHeld, match=rf"held by process {os.getpid()} on "), waiting:
        pass


def test_a_lock_file_that_somebody_removed_is_lost_and_the_next_one_counts(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    with held(storage) as lock:
        lock.check()
        storage.delete(LOCK)
        with held(storage) as other:
            other.check()
            with pytest.raises(LockLost, match="was removed"):
                lock.check()


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
        profile = Profile("features", DAY, payload, payload.hex())
        publish(s3_storage, key, sink, profile, revise=revise, sleep=no_sleep)

    if frozen_in == "day_is_empty":
        send(Sink(s3_storage, "cats", "cats/profiles"), b"old content")
    with pytest.raises(LockLost):
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
