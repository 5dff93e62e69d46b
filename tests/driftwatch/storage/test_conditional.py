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


def test_a_write_whose_answer_was_lost_counts_when_it_is_repeated(s3_storage, monkeypatch):
    fs = s3_storage._fs
    call = fs.call_s3

    def twice(*args, **kwargs):
        call(*args, **kwargs)
        return call(*args, **kwargs)

    monkeypatch.setattr(fs, "call_s3", twice)
    first = s3_storage.replace("cats/old", b"one", None)
    found = s3_storage.replace("cats/old", b"two", first)
    assert found == s3_storage.read_stored("cats/old")
    assert s3_storage.replace("cats/old", b"three", first) is None
    assert s3_storage.replace("cats/new", b"mine", None)
    assert s3_storage.replace("cats/new", b"another's", None) is None
    assert s3_storage.replace("cats/new", b"mine too", found) is None
    assert s3_storage.read_bytes("cats/new") == b"mine"


def test_a_lock_whose_answer_was_lost_is_held(s3_storage, monkeypatch):
    fs = s3_storage._fs
    call = fs.call_s3

    def twice(*args, **kwargs):
        call(*args, **kwargs)
        return call(*args, **kwargs)

    monkeypatch.setattr(fs, "call_s3", twice)
    with held(s3_storage) as lock:
        lock.check()
    found = s3_storage.read_stored(LOCK)
    assert s3_storage.replace("cats/new", b"mine", None)
    assert s3_storage.replace("cats/new", b"another's", None) is None
    assert s3_storage.replace("cats/new", b"mine too", found) is None
    assert s3_storage.read_bytes("cats/new") == b"mine"


@pytest.mark.parametrize(("conflicts", "kept"), [(2, True), (3, False)])
def test_a_conflict_with_a_write_that_failed_is_tried_again(s3_storage, monkeypatch, conflicts, kept):
    from botocore.exceptions import ClientError

    call, left = s3_storage._fs.call_s3, iter(range(conflicts))

    def conflict(*args, **kwargs):
        if next(left, None) is None:
            return call(*args, **kwargs)
        answer = {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}}
        raise OSError("conflict") from ClientError(answer, "PutObject")

    s3_storage.write_bytes("cats/a", b"one")
    found = s3_storage.read_stored("cats/a")
    monkeypatch.setattr(s3_storage._fs, "call_s3", conflict)
    assert bool(s3_storage.replace("cats/a", b"two", found)) == kept
    assert s3_storage.read_bytes("cats/a") == (b"two" if kept else b"one")


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
