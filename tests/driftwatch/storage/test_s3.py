"""A storage on a real S3 API (moto's server): what only S3 has. Faults are in test_errors.py."""

from __future__ import annotations

import subprocess
import sys
import time

import httpx
import pytest

from driftwatch.errors import OddEntry, StorageRefused
from driftwatch.storage import StoredObject, open_storage

from ..s3 import login_at


def test_reading_an_object_is_one_request(s3_storage, s3):
    s3_storage.write_bytes("in/a.jpg", b"bytes")
    for read in (
        lambda: s3_storage.read_bytes("in/a.jpg"),
        lambda: s3_storage.read_foreign("in/a.jpg", "in", 5),
        lambda: s3_storage.read_stored("in/a.jpg").data,
    ):
        s3.asked.clear()
        assert read() == b"bytes"
        assert [asked.split()[0] for asked in s3.asked] == ["GET"]


def test_when_an_object_was_written_is_not_asked(s3_storage, s3):
    """It is whole from the start, so that nobody waits for its end."""
    assert s3_storage.modified("in/a.jpg") is None
    assert s3.asked == []


def test_a_copy_is_made_by_the_server(s3_storage, s3):
    s3_storage.write_bytes("in/a.jpg", b"bytes")
    s3.asked.clear()
    s3_storage.copy("in/a.jpg", "shown/1.jpg")
    assert [asked.split()[0] for asked in s3.asked] == ["PUT"]
    assert s3_storage.read_bytes("shown/1.jpg") == b"bytes"


def test_browsers_are_told_what_an_object_is(s3_storage):
    s3_storage.write_bytes("report.html", b"<p>", content_type="text/html")
    answer = httpx.get(s3_storage.presigned_url("report.html", 60))
    assert answer.headers["content-type"] == "text/html"


@pytest.mark.parametrize("seconds", [60, 7 * 24 * 3600])
def test_a_link_lives_as_long_as_was_asked_for(s3_storage, seconds):
    link = httpx.URL(s3_storage.presigned_url("m/a b.jpg", seconds))
    assert link.path.endswith("/m/a b.jpg")
    assert float(link.params["Expires"]) - time.time() == pytest.approx(seconds, abs=10)


@pytest.mark.parametrize("name", ["a//b.jpg", "./b.jpg", "../b.jpg", "", "\\x1b[31m.jpg"])
def test_a_key_that_programs_on_the_way_would_take_for_another_is_refused(s3_storage, name):
    with pytest.raises(OddEntry, match="store it under another") as found:
        s3_storage.read_foreign(f"in/{name}", "in", 5)
    assert found.value.kind == "unsafe_name"


def test_keys_that_cannot_be_read_are_listed_and_hide_no_other(s3_storage):
    """obstore's own listing fails for all where one has such a key."""
    for name in ("a//b.jpg", "\x1b.jpg", "c.jpg"):
        s3_storage._client.put_object(Bucket="faulty", Key=f"{s3_storage.root.partition('/')[2]}/in/{name}", Body=b"x")
    assert s3_storage.list("in") == [StoredObject(f"in/{name}", 1) for name in ("\\x1b.jpg", "a//b.jpg", "c.jpg")]


@pytest.mark.parametrize("odd", ["", "0/", "5", "5/", "5//b", "5/\x1b", "9/"])
@pytest.mark.parametrize("bytes_of_it", [b"", b"x"])
def test_a_listing_of_many_pages_has_each_key_as_it_is(s3_storage, s3_login, monkeypatch, odd, bytes_of_it):
    """Markers of folders, empty objects, and keys that obstore refuses, on the first page or a later one. (An object with bytes whose key ends
    in `/` may be told without it; it is not read either way.)"""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    bucket, _, prefix = s3_storage.root.partition("/")
    client = s3_login.session.client("s3", endpoint_url=s3_login.endpoint_url)
    names = {*(f"{number}.jpg" for number in range(8)), odd}
    for name in names:
        client.put_object(Bucket=bucket, Key=f"{prefix}/in/{name}", Body=bytes_of_it if name == odd else b"x")
    wanted = sorted((f"in/{name}".replace("\x1b", "\\x1b"), len(bytes_of_it) if name == odd else 1) for name in names)
    found = [(item.key, item.size) for item in s3_storage.list("in")]
    assert found == wanted or ((odd, bytes_of_it) == ("9/", b"x") and found == [*wanted[:-1], ("in/9", 1)])


def test_a_day_is_listed_without_boto3(s3_storage, monkeypatch):
    """It takes ten times as long for each object."""
    for number in range(5):
        s3_storage.write_bytes(f"in/{number}.jpg", b"x")
    monkeypatch.setattr(s3_storage, "_pages", None)
    assert len(s3_storage.list("in")) == 5


def test_a_bucket_that_is_not_there_cannot_be_reached(s3_login):
    with pytest.raises(StorageRefused, match="there is no such bucket"):
        open_storage("s3://no-such-bucket/root", s3_login).reach()


@pytest.mark.parametrize(("token", "temporary"), [(None, False), ("t", True)])
def test_credentials_with_a_session_token_are_temporary(s3_endpoint, token, temporary):
    storage = open_storage("s3://bucket/root", login_at(s3_endpoint, token=token))
    assert storage.signing_credentials().temporary is temporary


def test_the_environment_s_login_and_endpoint_are_taken_where_none_is_given(s3_storage, s3_endpoint, monkeypatch):
    s3_storage.write_bytes("m/a", b"a")
    for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "ENDPOINT_URL": s3_endpoint}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    assert open_storage(s3_storage.uri).read_bytes("m/a") == b"a"


def test_without_any_credentials_it_says_what_to_set(s3_endpoint, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    with pytest.raises(StorageRefused, match=r"there are no credentials: set storage\.connection"):
        open_storage("s3://faulty/x").read_bytes("m/a")


def test_credentials_that_end_are_asked_for_again(s3_endpoint, s3_login, monkeypatch):
    import botocore.credentials

    from driftwatch.storage import s3 as module

    login, asked = login_at(s3_endpoint), []
    frozen = botocore.credentials.Credentials.get_frozen_credentials
    monkeypatch.setattr(
        botocore.credentials.Credentials, "get_frozen_credentials", lambda self: asked.append(1) or frozen(self)
    )
    monkeypatch.setattr(module, "_CREDENTIALS_KEPT", module.timedelta(seconds=-1))
    storage = open_storage("s3://faulty/renewed", login)
    storage.write_bytes("m/a", b"a")
    before = len(asked)
    storage.read_bytes("m/a")
    assert len(asked) > before


def test_a_fork_of_a_process_that_used_a_storage_says_so_and_does_not_hang(s3_storage, s3_endpoint):
    """Airflow's tasks are forks. They open their storage themselves."""
    s3_storage.write_bytes("m/a", b"a")
    code = f"""
import os, sys
from tests.driftwatch.s3 import open_s3
storage = open_s3({s3_endpoint!r}, {s3_storage.uri!r})
if sys.argv[1] == "before":
    storage.read_bytes("m/a")
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
try:
    open_s3({s3_endpoint!r}, {s3_storage.uri!r}).read_bytes("m/a")
except Exception as error:
    os._exit(3 if "fork" in str(error).lower() else 4)
os._exit(0)
"""
    for when, wanted in (("before", 3), ("after", 0)):
        done = subprocess.run([sys.executable, "-c", code, when], timeout=60, capture_output=True)
        assert done.returncode == wanted, (when, done)


def test_the_rest_of_the_bucket_is_not_listed_to_see_whether_the_storage_answers(s3_storage, s3):
    """A policy with a condition on `s3:prefix` refuses that."""
    s3.asked.clear()
    s3_storage.reach()
    assert s3_storage.clock() is not None
    prefix = s3_storage.root.partition("/")[2]
    assert len(s3.asked) == 2
    assert all(f"prefix={prefix}/" in asked for asked in s3.asked)
