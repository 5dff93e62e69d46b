"""The lock on a real S3 API (moto's server) and on a file system: each order of two holders that could go wrong, forced."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from driftwatch.outside import watching
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.lock import LockHeld, LockLost, LockUnconfirmed, exclusive

from ..s3 import open_s3

LOCK = "cats/some.lock"
DEAD = b"process 1 on a machine that is gone 0123 7\n"
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


BEAT, STALE = 0.5, 2.0


def hold_until_killed(uri: str, login: Any, holding: Any) -> None:
    """`login`: on S3 the server's address."""
    with exclusive(open_s3(login, uri) if uri.startswith("s3") else open_storage(uri, login), LOCK, BEAT, STALE):
        holding.set()
        time.sleep(600)


class TwoWaiters:
    """Two threads that wait for one lock; the first to hold it keeps it until the other has looked at it, living, four times."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.wait_for_it, self._take_over = threading.Barrier(3), threading.Barrier(2)
        self._looks = {"one": 0, "other": 0}
        self.order: list[str] = []
        self.taken_over_by: set[str] = set()

    def at_once(self, when: str, touched: str) -> None:
        """On S3 both are about to write over the same dead holder's object before either does."""
        name = threading.current_thread().name
        if (when, touched) != ("before", f"storage replace {LOCK}") or name not in self._looks:
            return
        if name not in self.taken_over_by:
            self.taken_over_by.add(name)
            self._take_over.wait(60)

    def hold(self, name: str) -> None:
        threading.current_thread().name = name

        def sleep(seconds: float) -> None:
            self._looks[name] += 1
            if self._looks[name] == 1:
                self.wait_for_it.wait(60)  # it has seen that somebody holds the lock
            time.sleep(seconds)

        with exclusive(self._storage, LOCK, BEAT, STALE, sleep=sleep) as lock:
            self.order.append(f"{name} holds")
            if len(self.order) == 1:
                self._until_looked_at("other" if name == "one" else "one")
            lock.check()
            self.order.append(f"{name} lets go")

    def _until_looked_at(self, other: str) -> None:
        seen, end = self._looks[other], time.monotonic() + 60
        while self._looks[other] < seen + 4:
            assert time.monotonic() < end, f"{other} does not look"
            time.sleep(0.01)


def test_of_two_who_wait_while_the_holder_is_killed_exactly_one_gets_the_lock(storage, request):
    login = request.getfixturevalue("s3_endpoint") if storage.scheme == "s3" else storage._given
    holding, two = SPAWN.Event(), TwoWaiters(storage)
    holder = SPAWN.Process(target=hold_until_killed, args=(storage.uri, login, holding), daemon=True)
    holder.start()

    def kill() -> None:
        two.wait_for_it.wait(60)
        holder.kill()
        holder.join(60)

    try:
        assert holding.wait(60)
        with watching(two.at_once):
            together(lambda: two.hold("one"), lambda: two.hold("other"), kill)
    finally:
        holder.kill()
    first, second = ("one", "other") if two.order[0].startswith("one") else ("other", "one")
    assert two.order == [f"{first} holds", f"{first} lets go", f"{second} holds", f"{second} lets go"]
    # A file's lock ends with its holder; an object's is taken over, here by both at once.
    assert two.taken_over_by == ({"one", "other"} if storage.remote else set())


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
    with pytest.raises(LockLost, match="nothing more is sent; run the task again"):
        first.__exit__(None, None, None)
    assert s3_storage.read_bytes(LOCK) == there
    successor.check()
    second.__exit__(None, None, None)
    assert s3_storage.read_bytes(LOCK).startswith(b"free")


def test_a_lock_that_was_lost_and_set_free_again_is_lost(s3_storage):
    with pytest.raises(LockLost, match="taken over by another task"), held(s3_storage), held(s3_storage):
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
