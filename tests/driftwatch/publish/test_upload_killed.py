"""Publishing killed at every point where it touches the outside, and by several processes at once: each content counts once."""

from __future__ import annotations

import itertools
import multiprocessing
from collections import Counter

import pytest

from driftwatch.publish.base import Slot
from driftwatch.publish.upload import Profile, publish
from driftwatch.storage import open_storage

from .doubles import DAY, KEY, A, B, CountingSink, Killed, MemoryStorage, P, Tapped, hash_of, send


def scenario(storage, sink) -> None:
    """A day's life: two kinds, then new features."""
    send(storage, sink, A)
    send(storage, sink, P, "performance")
    send(storage, sink, B, revise=True)


TAPPED_STORAGE = {"write_bytes", "write_json"}
TAPPED_SINK = {"reserve", "send", "delete_day", "day_is_empty"}


def run(storage, sink, fatal) -> list[str]:
    taps: list[str] = []
    scenario(Tapped(storage, taps, TAPPED_STORAGE, fatal), Tapped(sink, taps, TAPPED_SINK, fatal))
    return taps


@pytest.mark.parametrize("keys", ["replay", "refuse", "forget"])
def test_a_kill_anywhere_and_a_retry_end_as_without_the_kill(keys):
    points = run(MemoryStorage(), CountingSink(keys), None)
    assert {"reserve", "send", "delete_day", "day_is_empty", "write_json", "write_bytes"} == set(points)

    for number, when in itertools.product(range(len(points)), ("before", "after")):
        storage, sink = MemoryStorage(), CountingSink(keys, deletes_after=1)
        with pytest.raises(Killed):
            run(storage, sink, (number, when))
        # Airflow runs the killed task again, with its parameters; tasks that were done are not run again.
        published = {e["content_hash"] for e in storage.read_json(KEY)["uploads"]} if storage.exists(KEY) else set()
        if hash_of(P) not in published:
            send(storage, sink, A)
        if hash_of(B) not in published:
            send(storage, sink, P, "performance")
        send(storage, sink, B, revise=True)

        where = f"killed {when} {points[number]} (touch {number})"
        assert sink.counted() == {B: 1, P: 1}, where
        states = Counter(e["state"] for e in storage.read_json(KEY)["uploads"])
        assert set(states) == {"done", "replaced"}, where
        assert states["done"] == 2, where


@pytest.mark.parametrize(
    "keys",
    [
        "refuse",
        *(
            pytest.param(keys, marks=pytest.mark.all_faults("one service is in the plain suite"))
            for keys in ("replay", "forget")
        ),
    ],
)
def test_two_kills_in_a_row_end_as_without_them(keys):
    taps = len(run(MemoryStorage(), CountingSink(keys), None))
    for first, second in itertools.product(range(taps), range(12)):
        storage, sink = MemoryStorage(), CountingSink(keys)
        with pytest.raises(Killed):
            run(storage, sink, (first, "after"))
        published = {e["content_hash"] for e in storage.read_json(KEY)["uploads"]} if storage.exists(KEY) else set()
        steps = [(A, "features", False)] * (hash_of(P) not in published)
        steps += [(P, "performance", False)] * (hash_of(B) not in published)
        steps += [(B, "features", True)]
        again: list[str] = []
        for payload, kind, revise in steps:
            try:
                fatal = (second, "after")
                tapped = Tapped(storage, again, TAPPED_STORAGE, fatal), Tapped(sink, again, TAPPED_SINK, fatal)
                send(*tapped, payload, kind, revise=revise)
            except Killed:
                send(storage, sink, payload, kind, revise=revise)

        assert sink.counted() == {B: 1, P: 1}, (first, second)


def test_a_retry_sends_the_bytes_of_the_first_try(tmp_path):
    storage, sink = open_storage(f"file://{tmp_path}"), CountingSink()
    first = Profile("features", DAY, b"bytes of try 1", "same-hash")
    with pytest.raises(Killed):
        publish(storage, KEY, Tapped(sink, [], {"send"}, (0, "before")), first)
    publish(storage, KEY, sink, Profile("features", DAY, b"bytes of try 2", "same-hash"))

    assert sink.counted() == {b"bytes of try 1": 1}


class FileSink(CountingSink):
    """One file for each upload: processes share it."""

    def __init__(self, folder) -> None:
        super().__init__("forget")
        self.folder = folder

    def reserve(self, kind, day, idempotency_key, reference):
        import uuid

        return Slot(uuid.uuid4().hex, "")

    def send(self, slot, payload):
        (self.folder / slot.upload_id).write_bytes(payload)


def _publish_in_a_process(uri, folder, payload, kind, barrier) -> None:
    barrier.wait(10)
    send(open_storage(uri), FileSink(folder), payload, kind)


def test_processes_that_publish_at_the_same_moment_count_once_and_lose_no_entry(tmp_path):
    context = multiprocessing.get_context("fork")
    folder = tmp_path / "sink"
    folder.mkdir()
    uri = f"file://{tmp_path}/storage"
    barrier = context.Barrier(6)
    jobs = [(A, "features"), (P, "performance")] * 3
    workers = [
        context.Process(target=_publish_in_a_process, args=(uri, folder, payload, kind, barrier))
        for payload, kind in jobs
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)

    assert [worker.exitcode for worker in workers] == [0] * 6
    assert sorted(path.read_bytes() for path in folder.iterdir()) == [A, P]
    assert len(open_storage(uri).read_json(KEY)["uploads"]) == 2
