"""Conditional writes on a real S3 API (moto's server): repeated, in conflict, and by servers that know no conditions."""

from __future__ import annotations

import pytest

from driftwatch.errors import NeedsAttention, StorageRefused
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.lock import exclusive

LOCK = "cats/some.lock"


def held(storage: Storage):
    """The lock without a beat of its own."""
    return exclusive(storage, LOCK, 3600, 4 * 3600, sleep=lambda seconds: None)


def test_a_write_whose_answer_was_lost_counts_when_it_is_repeated(s3_storage, s3):
    s3.plan("lost", "cats/old", method="PUT", times=1)
    first = s3_storage.replace("cats/old", b"one", None)
    s3.plan("lost", "cats/old", method="PUT", times=1)
    found = s3_storage.replace("cats/old", b"two", first)
    assert found == s3_storage.read_stored("cats/old")
    assert [asked.split()[0] for asked in s3.asked].count("PUT") == 4
    assert s3_storage.replace("cats/old", b"three", first) is None
    assert s3_storage.replace("cats/new", b"mine", None)
    assert s3_storage.replace("cats/new", b"another's", None) is None
    assert s3_storage.replace("cats/new", b"mine too", found) is None
    assert s3_storage.read_bytes("cats/new") == b"mine"


def test_a_lock_whose_answer_was_lost_is_held(s3_storage, s3):
    s3.plan("lost", LOCK, method="PUT", times=1)
    with held(s3_storage) as lock:
        lock.check()


def test_of_an_object_that_is_gone_nothing_is_replaced(s3_storage):
    found = s3_storage.replace("cats/a", b"one", None)
    s3_storage.delete("cats/a")
    assert s3_storage.replace("cats/a", b"two", found) is None
    assert not s3_storage.exists("cats/a")


def test_a_conflict_with_a_write_that_failed_is_tried_again(s3_storage, s3):
    s3_storage.write_bytes("cats/a", b"one")
    found = s3_storage.read_stored("cats/a")
    s3.plan("ConditionalRequestConflict", "cats/a", method="PUT", times=2)
    assert s3_storage.replace("cats/a", b"two", found)
    assert s3_storage.read_bytes("cats/a") == b"two"


def test_a_conflict_that_does_not_end_is_no_write(s3_storage, s3):
    found = s3_storage.replace("cats/a", b"one", None)
    s3.plan("ConditionalRequestConflict", "cats/a", method="PUT")
    assert s3_storage.replace("cats/a", b"two", found) is None
    assert s3_storage.read_bytes("cats/a") == b"one"


def test_a_missing_bucket_is_named(s3_login):
    with (
        pytest.raises(StorageRefused, match="there is no such bucket"),
        held(open_storage("s3://no-such-bucket/x", s3_login)),
    ):
        pass


def test_a_server_without_conditional_writes_is_named(s3_storage, s3):
    s3.plan("NotImplemented", LOCK, method="PUT")
    with pytest.raises(NeedsAttention, match="knows no conditional writes"), held(s3_storage):
        pass


def test_a_server_that_ignores_conditions_is_named(s3_storage, s3):
    s3.plan("ignored", LOCK, method="PUT")
    with pytest.raises(NeedsAttention, match="although the condition If-Match is false"), held(s3_storage):
        pass
