"""Conditional replacement on a real S3 API (moto's server), whose answers are lost or in conflict."""

from __future__ import annotations

import pytest


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
