"""A file that is still being written is taken whole or not at all, and nobody waits for files that are whole or old."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import date

import pytest

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.config import ImagesConfig
from driftwatch.images import outcome, settling
from driftwatch.images.ingest import cut_into_shards, ingest_day, ingest_shard, merge_shards
from driftwatch.images.listing import list_day
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.file import FileStorage

from .days import MODEL, day_of, photo

DAY = DayKeys("cats", date(2026, 3, 1))
IMAGES = ImagesConfig(max_reject_share=1)


class Clock:
    """Time as the test tells it: `sleep` goes on, and does what is planned for then."""

    def __init__(self) -> None:
        self.now = time.time()
        self.slept: list[float] = []
        self.meanwhile = lambda: None

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.meanwhile()


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(settling, "time", clock)

    def age(storage, key):  # the real one; the suite's conftest has put another in its place
        modified = storage.modified(key)
        return None if modified is None else clock.time() - modified

    monkeypatch.setattr(settling, "_age", age)
    return clock


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}/store")
    storage.write_bytes(f"{DAY.incoming}/a.jpg", photo(1))
    return storage


def half(storage: Storage, clock: Clock, name: str = "b.jpg", age: float = 1) -> None:
    storage.write_bytes(f"{DAY.incoming}/{name}", photo(2)[:200])
    touched(storage, clock, name, age)


def touched(storage: Storage, clock: Clock, name: str, age: float = 0) -> None:
    os.utime(storage.local_path(f"{DAY.incoming}/{name}"), (clock.now - age,) * 2)


def reasons(storage: Storage) -> dict[str, str]:
    table = storage.read_table(DAY.manifest)
    return {key.rsplit("/", 1)[-1]: reason for key, reason in zip(table["key"], table["reason"], strict=True)}


def test_a_half_file_is_taken_when_it_is_whole_and_the_day_is_as_if_it_had_always_been(storage, clock):
    half(storage, clock)

    def finish() -> None:
        storage.write_bytes(f"{DAY.incoming}/b.jpg", photo(2))
        touched(storage, clock, "b.jpg", age=10)

    clock.meanwhile = finish
    counts = ingest_day(day_of(storage, DAY, IMAGES), MODEL)
    assert counts.accepted == 2
    assert clock.slept == [pytest.approx(59, abs=1)]
    late = {item.key: storage.read_bytes(item.key) for item in storage.list("cats/days")}
    assert ingest_day(day_of(storage, DAY, IMAGES), MODEL) == counts
    assert {item.key: storage.read_bytes(item.key) for item in storage.list("cats/days")} == late
    assert len(clock.slept) == 1


def test_a_broken_file_that_rests_is_judged_as_it_is(storage, clock):
    half(storage, clock, age=20)
    ingest_day(day_of(storage, DAY, IMAGES), MODEL)
    assert reasons(storage)["b.jpg"].startswith("truncated")
    assert clock.slept == [pytest.approx(40, abs=1)]


@pytest.mark.parametrize(("age", "settle"), [(61, 60), (3600, 60), (-3600, 60), (1, 0)])
def test_nobody_waits_for_an_old_file_for_a_clock_that_is_wrong_or_where_the_setting_is_0(storage, clock, age, settle):
    half(storage, clock, age=age)
    ingest_day(day_of(storage, DAY, IMAGES.model_copy(update={"settle_seconds": settle})), MODEL)
    assert clock.slept == []


def test_nobody_waits_for_whole_files_however_new(storage, clock):
    ingest_day(day_of(storage, DAY, IMAGES), MODEL)
    assert clock.slept == []


def test_a_file_that_never_rests_is_quarantined_after_five_passes_and_taken_by_a_later_one(storage, clock):
    half(storage, clock)
    number = iter(range(100))

    def grow() -> None:
        storage.write_bytes(f"{DAY.incoming}/b.jpg", photo(2)[: 300 + next(number)])
        touched(storage, clock, "b.jpg")

    clock.meanwhile = grow
    counts = ingest_day(day_of(storage, DAY, IMAGES), MODEL)
    assert counts.reasons == {"still_growing": 1}
    assert len(clock.slept) == settling.PASSES
    assert "clear ingest_images" in reasons(storage)["b.jpg"]
    storage.write_bytes(f"{DAY.incoming}/b.jpg", photo(2))
    assert ingest_day(day_of(storage, DAY, IMAGES), MODEL).accepted == 2


def test_a_file_that_changes_while_it_is_read_is_not_taken_half(storage, clock, monkeypatch):
    target = storage.local_path(f"{DAY.incoming}/a.jpg")
    fstat, calls = os.fstat, []

    def growing(descriptor):
        found = fstat(descriptor)
        calls.append(descriptor)
        if len(calls) == 1:  # between the look before and the look after
            with target.open("ab") as file:
                file.write(b"more")
        return found

    monkeypatch.setattr(os, "fstat", growing)
    counts = ingest_day(day_of(storage, DAY, IMAGES), MODEL)
    assert counts.accepted == 1
    assert storage.read_table(DAY.manifest)["bytes"].tolist() == [target.stat().st_size]


def test_a_broken_new_file_that_is_removed_meanwhile_is_no_part_of_the_next_pass(storage, clock, monkeypatch):
    half(storage, clock)
    modified, looks = FileStorage.modified, []

    def removed(self, key):
        looks.append(key)
        if key.endswith("b.jpg") and looks.count(key) == 2:
            storage.delete(f"{DAY.incoming}/b.jpg")
        return modified(self, key)

    monkeypatch.setattr(FileStorage, "modified", removed)
    counts = ingest_day(day_of(storage, DAY, IMAGES), MODEL)
    assert (counts.accepted, counts.reasons) == (1, {"unreadable": 1})
    assert clock.slept == []


def test_a_whole_file_that_is_replaced_behind_the_pass_is_taken_as_it_is_then_without_a_wait(
    storage, clock, monkeypatch
):
    accepted = outcome._accepted
    touched(storage, clock, "a.jpg", age=3600)

    def replaced(file, *how):
        clock.now += 2
        if storage.read_bytes(f"{DAY.incoming}/a.jpg") != photo(2):
            storage.write_bytes(f"{DAY.incoming}/a.jpg", photo(2))
            touched(storage, clock, "a.jpg", age=1)
        return accepted(file, *how)

    monkeypatch.setattr(outcome, "_accepted", replaced)
    assert ingest_day(day_of(storage, DAY, IMAGES), MODEL).accepted == 1
    assert storage.read_table(DAY.manifest)["image_id"].tolist() == [hashlib.sha256(photo(2)).hexdigest()]
    assert clock.slept == []


def test_a_file_that_was_finished_while_a_long_pass_went_on_is_looked_at_again(storage, clock, monkeypatch):
    half(storage, clock, "b.jpg", age=5)
    decode = outcome.check_file

    def slow(data, limits):
        if len(data) == 200:
            storage.write_bytes(f"{DAY.incoming}/b.jpg", photo(2))
            touched(storage, clock, "b.jpg")
            clock.now += 100  # longer than images.settle_seconds
        return decode(data, limits)

    monkeypatch.setattr(outcome, "check_file", slow)
    assert ingest_day(day_of(storage, DAY, IMAGES), MODEL).accepted == 2


def test_each_shard_waits_for_its_own(storage, clock):
    for number in range(300):
        storage.write_bytes(f"{DAY.incoming}/c{number}.json", b"{}")
    half(storage, clock, "z.jpg")

    def finish() -> None:
        storage.write_bytes(f"{DAY.incoming}/z.jpg", photo(2))

    clock.meanwhile = finish
    images = IMAGES.model_copy(update={"shard_size": 256})
    for shard in cut_into_shards(day_of(storage, DAY, images), MODEL, list_day(day_of(storage, DAY, images))):
        ingest_shard(day_of(storage, DAY, images), shard)
    assert merge_shards(day_of(storage, DAY, images)).accepted == 2
    assert len(clock.slept) == 1
