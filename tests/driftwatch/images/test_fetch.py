"""One odd entry is one row, never the day; a storage that is unwell fails the task by name, and no image is blamed for it."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from driftwatch.config import ImagesConfig
from driftwatch.errors import StorageFailed, StorageRefused
from driftwatch.images.ingest import cut_into_shards, ingest_day, ingest_shard, merge_shards
from driftwatch.images.listing import list_day
from driftwatch.storage import Storage, open_storage
from driftwatch.storage import errors as storage_errors

from .days import DAY, MODEL, day_of, photo, rows

ALL_MAY_FAIL = ImagesConfig(max_reject_share=1)


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}/store")
    for number in range(3):
        storage.write_bytes(f"{DAY.incoming}/{number}.jpg", photo(number))
    return storage


@pytest.fixture
def incoming(storage) -> bytes:
    return os.fsencode(storage.local_path(DAY.incoming))


def test_every_odd_entry_of_a_folder_is_one_row_and_no_foreign_byte_is_read(storage, incoming, tmp_path):
    (tmp_path / "secret.txt").write_bytes(photo(9))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.jpg").write_bytes(photo(8))
    odd = {
        b"fifo.jpg": lambda path: os.mkfifo(path),
        b"zero.jpg": lambda path: os.symlink("/dev/zero", path),
        b"out.jpg": lambda path: os.symlink(tmp_path / "secret.txt", path),
        b"up.jpg": lambda path: os.symlink("../../../../secret.txt", path),
        b"other.jpg": lambda path: os.symlink("../../days", path),
        b"folder.jpg": lambda path: os.symlink(tmp_path / "elsewhere", path),
        b"nothing.jpg": lambda path: os.symlink("gone", path),
        b"round.jpg": lambda path: os.symlink("round.jpg", path),
    }
    for name, make in odd.items():
        make(incoming + b"/" + name)
    here = os.getcwd()
    os.chdir(incoming)  # a socket's address must be short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(b"socket.jpg")
    finally:
        os.chdir(here)
    os.mkdir(incoming + b"/empty.jpg")
    counts = ingest_day(day_of(storage, DAY, ALL_MAY_FAIL), MODEL)
    found = rows(storage)
    assert {name for name, (status, _) in found.items() if status == "accepted"} == {"0.jpg", "1.jpg", "2.jpg"}
    assert set(found) == {"0.jpg", "1.jpg", "2.jpg", "socket.jpg", *(name.decode() for name in odd)}
    assert counts.reasons == {"not_a_file": 9}
    assert found["fifo.jpg"][1] == "not_a_file: is a pipe; only files are taken"
    assert "leads out of its folder" in found["zero.jpg"][1]


@pytest.mark.parametrize(
    "name", [b"caf\xe9.jpg", b"a\nb\x1b[31m.jpg", b"back\\slash\\x41.jpg", "Kätzchen\x85.jpg".encode(), b"a." + b"x" * 240, b"100%.jpg"]
)  # fmt: skip
def test_any_name_is_taken_printed_and_found_again(storage, incoming, name):
    with open(incoming + b"/" + name, "wb") as file:
        file.write(photo(5))
    counts = ingest_day(day_of(storage, DAY), MODEL)
    assert (counts.listed, counts.accepted) == (4, 4)
    (key,) = {item.key for item in storage.list(DAY.incoming)} - {f"{DAY.incoming}/{n}.jpg" for n in range(3)}
    assert key in set(storage.read_table(DAY.manifest)["key"])
    assert key.isprintable()
    assert key.encode().decode() == key
    assert os.fsencode(storage.local_path(key)) == incoming + b"/" + name
    assert storage.read_foreign(key, DAY.incoming, 10**6) == photo(5)


def test_a_link_to_a_file_beside_it_is_its_duplicate(storage, incoming):
    os.symlink("0.jpg", incoming + b"/latest.jpg")
    assert ingest_day(day_of(storage, DAY), MODEL).duplicate == 1


def test_no_more_than_the_limit_is_read_of_a_file_that_grew_since_it_was_listed(storage, incoming):
    listed = list(list_day(day_of(storage, DAY)))
    with open(incoming + b"/1.jpg", "ab") as file:
        file.truncate(10**12)  # a sparse terabyte
    counts = ingest_day(day_of(storage, DAY, ALL_MAY_FAIL), MODEL, listed)
    assert counts.reasons == {"too_many_bytes": 1}


@pytest.mark.parametrize(("number", "kind"), [(errno.EACCES, StorageRefused), (errno.EIO, StorageFailed)])
def test_one_file_that_the_disk_does_not_give_is_one_row_but_all_of_them_are_the_tasks_failure(
    storage, monkeypatch, number, kind
):
    monkeypatch.setattr(storage_errors, "PAUSES", (0,))
    opened, refused = os.open, ["0.jpg"]

    def opening(path, *how):
        if os.path.basename(path) in refused:
            raise OSError(number, os.strerror(number), path)
        return opened(path, *how)

    monkeypatch.setattr(os, "open", opening)
    ingest_day(day_of(storage, DAY, ALL_MAY_FAIL), MODEL)
    status, reason = rows(storage)["0.jpg"]
    assert (status, reason.partition(":")[0]) == ("quarantined", "unreadable")
    assert "incoming/2026-03-01/0.jpg" in reason
    refused.extend(["1.jpg", "2.jpg"])
    with pytest.raises(kind, match=r"incoming/2026-03-01/0\.jpg"):
        ingest_day(day_of(storage, DAY, ALL_MAY_FAIL), MODEL)


def test_a_day_in_shards_counts_what_it_ignores_and_is_the_same_day(storage, incoming):
    for number in range(300):
        storage.write_bytes(f"{DAY.incoming}/{number}.json", b"{}")
    os.mkfifo(incoming + b"/z\xff.jpg")
    images = ImagesConfig(shard_size=256, max_reject_share=1)
    whole = ingest_day(day_of(storage, DAY, images), MODEL)
    artifacts = {item.key: storage.read_bytes(item.key) for item in storage.list("cats/days")}
    shards = cut_into_shards(day_of(storage, DAY, images), MODEL, list_day(day_of(storage, DAY, images)))
    counts = [ingest_shard(day_of(storage, DAY, images), shard) for shard in shards]
    assert len(shards) == 2
    assert sum(found["ignored"] for found in counts) == 300 == whole.ignored
    assert merge_shards(day_of(storage, DAY, images)) == whole
    assert {item.key: storage.read_bytes(item.key) for item in storage.list("cats/days")} == artifacts


@pytest.fixture
def bucket(s3_storage) -> Storage:
    for number in range(3):
        s3_storage.write_bytes(f"{DAY.incoming}/{number}.jpg", photo(number))
    return s3_storage


def test_odd_keys_of_s3_are_one_row_each_and_a_consoles_marker_is_ignored(bucket):
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    # Put where moto keeps them: HTTP clients resolve `..` on the way, which is why such keys are not read.
    moto = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    prefix = bucket.path(DAY.incoming).partition("/")[2]
    for name in ("", "sub/", "sub/../../up.jpg", "a//b.jpg", "./c.jpg", "a\ttab.jpg", "back\\.jpg"):
        moto.put_object("faulty", f"{prefix}/{name}", photo(4) if name.endswith(".jpg") else b"")
    ingest_day(day_of(bucket, DAY, ALL_MAY_FAIL), MODEL)
    found = {name: (status, reason.partition(":")[0]) for name, (status, reason) in rows(bucket).items()}
    unsafe = ("quarantined", "unsafe_name")
    ignored = ("ignored", "matches '*/' of images.ignore")
    assert found.pop(f"{DAY.incoming}/", found.pop("", None)) == ignored
    assert found == {
        "0.jpg": ("accepted", ""), "1.jpg": ("accepted", ""), "2.jpg": ("accepted", ""), "back\\\\.jpg": ("accepted", ""),
        "sub/": ignored, "sub/../../up.jpg": unsafe, "a//b.jpg": unsafe, "./c.jpg": unsafe, "a\\x09tab.jpg": unsafe,
    }  # fmt: skip


@pytest.mark.parametrize(
    "fault",
    [
        "cut",
        "SlowDown",
        *(
            pytest.param(fault, marks=pytest.mark.all_faults("storage/test_errors.py has each fault"))
            for fault in ("checksum", "reset", "InternalError")
        ),
    ],
)
def test_a_passing_fault_of_one_object_loses_nothing_and_a_lasting_one_fails_the_task_by_name(bucket, s3, fault):
    ingest_day(day_of(bucket, DAY), MODEL)
    whole = rows(bucket)
    s3.plan(fault, r"incoming/2026-03-01/1\.jpg", method="GET", times=1)
    ingest_day(day_of(bucket, DAY), MODEL)
    assert rows(bucket) == whole
    s3.plan(fault, r"incoming/2026-03-01/1\.jpg", method="GET")
    with pytest.raises(StorageFailed, match=r"incoming/2026-03-01/1\.jpg"):
        ingest_day(day_of(bucket, DAY, ALL_MAY_FAIL), MODEL)
    assert rows(bucket) == whole


def test_credentials_that_end_in_mid_pass_fail_the_task_quarantine_nothing_and_a_new_try_goes_through(bucket, s3):
    s3.plan("ExpiredToken", r"incoming/2026-03-01/[12]\.jpg", method="GET")
    with pytest.raises(StorageFailed, match=r"/1\.jpg \(ExpiredToken.*a new try of the task"):
        ingest_day(day_of(bucket, DAY, ALL_MAY_FAIL), MODEL)
    assert not bucket.exists(DAY.manifest)
    s3.clear()
    assert ingest_day(day_of(bucket, DAY), MODEL).accepted == 3


def test_access_denied_to_all_needs_a_person_and_to_one_of_many_is_one_row(bucket, s3):
    s3.plan("AccessDenied", r"incoming/2026-03-01/.*jpg", method="GET")
    with pytest.raises(StorageRefused, match=r"/0\.jpg \(AccessDenied.*give the account"):
        ingest_day(day_of(bucket, DAY, ALL_MAY_FAIL), MODEL)
    s3.clear()
    s3.plan("AccessDenied", r"incoming/2026-03-01/.*jpg", method="GET", skip=1)
    with pytest.raises(StorageRefused, match=r"\(AccessDenied.*give the account"):  # taken away in mid-pass
        ingest_day(day_of(bucket, DAY, ALL_MAY_FAIL), MODEL)
    assert not bucket.exists(DAY.manifest)
    s3.clear()
    s3.plan("AccessDenied", r"incoming/2026-03-01/0\.jpg", method="GET")
    counts = ingest_day(day_of(bucket, DAY, ALL_MAY_FAIL), MODEL)
    assert (counts.accepted, counts.reasons) == (2, {"unreadable": 1})
    assert "AccessDenied" in rows(bucket)["0.jpg"][1]
    s3.clear()
    s3.plan("AccessDenied", r"incoming/2026-03-01/0\.jpg", method="GET", times=1)  # and given a moment later
    assert ingest_day(day_of(bucket, DAY, ALL_MAY_FAIL), MODEL).accepted == 3


def test_no_more_than_the_limit_is_read_of_an_object_that_was_replaced_since_it_was_listed(bucket):
    images = ImagesConfig(max_bytes=20_000, max_reject_share=1)
    listed = list(list_day(day_of(bucket, DAY, images)))
    bucket.write_bytes(f"{DAY.incoming}/1.jpg", bytes(30_000))
    ingest_day(day_of(bucket, DAY, images), MODEL, listed)
    assert rows(bucket)["1.jpg"] == ("quarantined", "too_many_bytes: has 30000 bytes; images.max_bytes is 20000")
