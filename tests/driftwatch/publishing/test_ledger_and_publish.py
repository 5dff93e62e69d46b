"""The ledger and `publish`: against a sink that counts, killed at every point where they touch the outside."""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
from collections import Counter
from datetime import date

import pytest

from driftwatch.publishing.errors import KeyAlreadyUsed, PublishConflict, PublishPending, SinkError
from driftwatch.publishing.publish import publish
from driftwatch.publishing.sinks import LocalSink, Slot
from driftwatch.storage import Storage

DAY = date(2026, 1, 2)
KEY = "cats/days/2026-01-02/published.json"
A, B, P = b"features A", b"features B", b"performance P"


class Killed(BaseException):
    """The process ends here."""


class CountingSink:
    """Keeps each upload by its id, as WhyLabs' merged day does; `keys` says what a repeated idempotency key gets."""

    name, organisation, dataset = "whylabs", "org-1", "model-1"

    def __init__(self, keys: str = "replay", deletes_after: int = 0, delete_wait_seconds: float = 60) -> None:
        self.keys = keys
        self.deletes_after = deletes_after
        self.delete_wait_seconds = delete_wait_seconds
        self.slots: dict[str, str] = {}
        self.received: dict[str, bytes] = {}
        self.polls_left: int | None = None
        self._ids = itertools.count(1)

    def reserve(self, kind, day, idempotency_key, reference):
        if idempotency_key in self.slots and self.keys == "refuse":
            raise KeyAlreadyUsed("Failed Idempotent request")
        if idempotency_key not in self.slots or self.keys == "forget":
            self.slots[idempotency_key] = f"log-{next(self._ids)}"
        return Slot(self.slots[idempotency_key], "secret")

    def send(self, slot, payload):
        self.received[slot.upload_id] = payload

    def delete_day(self, day):
        self.polls_left = self.deletes_after

    def day_is_empty(self, day):
        if self.polls_left is not None:
            self.polls_left -= 1
            if self.polls_left < 0:
                self.received.clear()
                self.polls_left = None
        return self.polls_left is None and not self.received

    def counted(self) -> Counter[bytes]:
        return Counter(self.received.values())


class Tapped:
    """Passes calls on, and counts those that touch the outside; the `fatal`-th kills, before or after its effect."""

    def __init__(self, target, taps: list[str], names: set[str], fatal: tuple[int, str] | None) -> None:
        self._target, self._taps, self._names, self._fatal = target, taps, names, fatal

    def __getattr__(self, name):
        found = getattr(self._target, name)
        if name not in self._names:
            return found

        def call(*args, **kwargs):
            self._taps.append(name)
            here = len(self._taps) - 1
            if self._fatal == (here, "before"):
                raise Killed
            result = found(*args, **kwargs)
            if self._fatal == (here, "after"):
                raise Killed
            return result

        return call


class MemoryStorage:
    """What the ledger uses of `Storage`, without a disk: the kill tests run through hundreds of days."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def local_path(self, key):
        return None

    def exists(self, key):
        return key in self._files

    def read_bytes(self, key):
        return self._files[key]

    def write_bytes(self, key, data):
        self._files[key] = data

    def create(self, key, data):
        return self._files.setdefault(key, data) is data

    def delete(self, key):
        self._files.pop(key, None)

    def read_json(self, key):
        return json.loads(self._files[key])

    def write_json(self, key, value):
        self._files[key] = json.dumps(value).encode()


def hash_of(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


@pytest.fixture
def storage(tmp_path) -> Storage:
    return Storage(f"file://{tmp_path}")


def send(storage, sink, payload=A, kind="features", **more):
    return publish(storage, KEY, sink, kind, DAY, payload, hash_of(payload), sleep=lambda seconds: None, **more)


def test_the_same_content_is_uploaded_once_and_skipped_with_a_word(storage, caplog):
    caplog.set_level("INFO")
    sink = CountingSink()
    first, second = send(storage, sink), send(storage, sink)

    assert (first.state, second.state) == ("uploaded", "skipped")
    assert first.upload_id == second.upload_id == "log-1"
    assert sink.counted() == {A: 1}
    assert (
        "Skipped features of 2026-01-02 (whylabs org-1/model-1): the same content was uploaded as log-1" in caplog.text
    )


def test_the_ledger_says_what_where_and_in_which_state_without_the_upload_url(storage):
    send(storage, CountingSink())

    (entry,) = storage.read_json(KEY)["uploads"]
    expected = {"sink": "whylabs", "organisation": "org-1", "dataset": "model-1", "day": "2026-01-02"}
    expected |= {"kind": "features", "content_hash": hash_of(A), "upload_id": "log-1", "state": "done", "revision": 1}
    assert expected.items() <= entry.items()
    assert "secret" not in json.dumps(entry)


def test_changed_content_is_refused_and_says_what_to_do(storage):
    sink = CountingSink()
    send(storage, sink)

    with pytest.raises(PublishConflict, match=r"count the day twice.*parameter `revise`"):
        send(storage, sink, B)
    assert sink.counted() == {A: 1}


def test_a_revision_deletes_the_day_and_sends_the_other_kind_again(storage):
    sink = CountingSink(deletes_after=3)
    send(storage, sink, A)
    send(storage, sink, P, "performance")
    revised = send(storage, sink, B, revise=True)

    assert (revised.state, revised.revision) == ("revised", 2)
    assert sink.counted() == {B: 1, P: 1}
    assert send(storage, sink, P, "performance").state == "skipped"
    assert send(storage, sink, B, revise=True).state == "skipped"
    history = [(e["kind"], e["revision"], e["state"]) for e in storage.read_json(KEY)["uploads"]]
    assert history == [
        ("features", 1, "replaced"),
        ("performance", 1, "replaced"),
        ("features", 2, "done"),
        ("performance", 2, "done"),
    ]


def test_going_back_to_earlier_content_is_a_revision_of_its_own(storage):
    sink = CountingSink()
    send(storage, sink, A)
    send(storage, sink, B, revise=True)
    again = send(storage, sink, A, revise=True)

    assert (again.state, again.revision) == ("revised", 3)
    assert sink.counted() == {A: 1}


def test_revise_without_anything_published_is_a_plain_upload(storage):
    sink = CountingSink()

    assert send(storage, sink, A, revise=True).state == "uploaded"
    assert sink.polls_left is None


def test_a_deletion_that_takes_too_long_fails_and_the_next_run_goes_on(storage):
    sink = CountingSink(deletes_after=10, delete_wait_seconds=30)
    send(storage, sink, A)
    with pytest.raises(PublishPending, match="run this task again later"):
        send(storage, sink, B, revise=True)
    assert sink.counted() == {A: 1}
    sink.deletes_after = 0

    assert send(storage, sink, B).state == "revised"
    assert sink.counted() == {B: 1}


def test_sinks_and_datasets_share_a_ledger_and_do_not_meet(storage):
    one, other = CountingSink(), CountingSink()
    other.dataset = "model-2"
    local = LocalSink(storage, "cats", "cats/published")
    for sink in (one, other, local):
        assert send(storage, sink).state == "uploaded"
    send(storage, one, B, revise=True)

    assert (one.counted(), other.counted()) == ({B: 1}, {A: 1})
    assert storage.read_bytes("cats/published/2026-01-02/features.bin") == A


def test_the_local_sink_replaces_a_day(storage):
    sink = LocalSink(storage, "cats", "cats/published")
    send(storage, sink, A)
    send(storage, sink, P, "performance")
    send(storage, sink, B, revise=True)

    assert storage.read_bytes("cats/published/2026-01-02/features.bin") == B
    assert storage.read_bytes("cats/published/2026-01-02/performance.bin") == P


def test_a_reference_is_uploaded_once_and_never_changes(storage):
    sink = CountingSink()
    key = "cats/reference/v1/published.json"

    def reference(payload: bytes, **more):
        return publish(storage, key, sink, "reference", DAY, payload, hash_of(payload), reference="v1", **more)

    assert [reference(A).state, reference(A).state] == ["uploaded", "skipped"]
    with pytest.raises(PublishConflict, match="a model version's reference never changes"):
        reference(B, revise=True)
    with pytest.raises(ValueError, match="model version"):
        publish(storage, key, sink, "reference", DAY, A, hash_of(A))


@pytest.mark.parametrize("uncertain", [False, True])
@pytest.mark.parametrize("keys", ["replay", "refuse", "forget"])
def test_a_failed_upload_fails_and_its_repetition_counts_once(storage, keys, uncertain):
    class Failing(CountingSink):
        fails = True

        def send(self, slot, payload):
            if uncertain or not self.fails:
                super().send(slot, payload)
            if self.fails:
                self.fails = False
                raise SinkError("HTTP 403", uncertain=uncertain)

    sink = Failing(keys)
    with pytest.raises(SinkError, match="403"):
        send(storage, sink)

    assert send(storage, sink).upload_id in sink.received
    assert sink.counted() == {A: 1}


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


@pytest.mark.parametrize("keys", ["replay", "refuse", "forget"])
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


def test_a_retry_sends_the_bytes_of_the_first_try(storage):
    sink = CountingSink()
    with pytest.raises(Killed):
        publish(
            storage, KEY, Tapped(sink, [], {"send"}, (0, "before")), "features", DAY, b"bytes of try 1", "same-hash"
        )
    publish(storage, KEY, sink, "features", DAY, b"bytes of try 2", "same-hash")

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
    send(Storage(uri), FileSink(folder), payload, kind)


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
    assert len(Storage(uri).read_json(KEY)["uploads"]) == 2
