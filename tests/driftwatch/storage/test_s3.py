"""A storage on a real S3 API (moto's server): what only S3 has. Faults are in test_errors.py."""

from __future__ import annotations

import pytest

from driftwatch.errors import OddEntry, StorageRefused
from driftwatch.storage import open_storage


@pytest.fixture
def asked(s3_storage, monkeypatch) -> list[str]:
    """The requests that are made from now on."""
    found: list[str] = []
    call = s3_storage._fs._call_s3

    async def counted(method, *arguments, **more):
        found.append(method)
        return await call(method, *arguments, **more)

    monkeypatch.setattr(s3_storage._fs, "_call_s3", counted)
    return found


def test_reading_an_object_is_one_request(s3_storage, asked):
    s3_storage.write_bytes("in/a.jpg", b"bytes")
    for read in (
        lambda: s3_storage.read_bytes("in/a.jpg"),
        lambda: s3_storage.read_foreign("in/a.jpg", "in", 5),
        lambda: s3_storage.read_stored("in/a.jpg").data,
    ):
        asked.clear()
        assert read() == b"bytes"
        assert asked == ["get_object"]


def test_when_an_object_was_written_is_not_asked(s3_storage, asked):
    """It is whole from the start, so that nobody waits for its end."""
    assert s3_storage.modified("in/a.jpg") is None
    assert asked == []


def test_a_copy_is_made_by_the_server(s3_storage, asked):
    s3_storage.write_bytes("in/a.jpg", b"bytes")
    asked.clear()
    s3_storage.copy("in/a.jpg", "shown/1.jpg")
    assert not {"get_object", "put_object"} & set(asked)


def test_browsers_are_told_what_an_object_is(s3_storage):
    import httpx

    s3_storage.write_bytes("report.html", b"<p>", content_type="text/html")
    answer = httpx.get(s3_storage.presigned_url("report.html", 60))
    assert answer.headers["content-type"] == "text/html"


@pytest.mark.parametrize("name", ["a//b.jpg", "./b.jpg", "../b.jpg", ""])
def test_a_key_that_programs_on_the_way_would_take_for_another_is_refused(s3_storage, name):
    with pytest.raises(OddEntry, match="store it under another") as found:
        s3_storage.read_foreign(f"in/{name}", "in", 5)
    assert found.value.kind == "unsafe_name"


def test_a_bucket_that_is_not_there_cannot_be_reached(s3_storage):
    with pytest.raises(StorageRefused, match="there is no such bucket"):
        open_storage("s3://no-such-bucket/root", s3_storage._fs).reach()


@pytest.mark.parametrize(("token", "temporary"), [(None, False), ("t", True)])
def test_credentials_with_a_session_token_are_temporary(s3_endpoint, token, temporary):
    import s3fs

    filesystem = s3fs.S3FileSystem(key="k", secret="s", token=token, endpoint_url=s3_endpoint, skip_instance_cache=True)
    filesystem.connect()
    assert open_storage("s3://bucket/root", filesystem).signing_credentials().temporary is temporary
