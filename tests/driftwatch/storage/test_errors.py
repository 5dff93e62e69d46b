"""Errors of the storage mean the same in every call: over real HTTP, from S3's answers and broken connections, and on a folder."""

from __future__ import annotations

import errno
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest

from driftwatch.errors import DamagedFile, MissingArtifact, StorageFailed, StorageRefused
from driftwatch.storage import Storage, open_storage
from driftwatch.storage import errors as storage_errors
from driftwatch.storage.s3 import S3Login
from driftwatch_sandbox.demo.processes import free_port

from ..s3 import login_at

CALLS = {
    "read": lambda storage: storage.read_bytes("in/a.jpg"),
    "read foreign": lambda storage: storage.read_foreign("in/a.jpg", "in", 5000),
    "read a range": lambda storage: storage.read_range("in/a.jpg", 0, 5),
    "list": lambda storage: storage.list("in"),
    "folders": lambda storage: storage.folders("in"),
    "exists": lambda storage: storage.exists("in/a.jpg"),
    "stamp": lambda storage: storage.stamp("in/a.jpg"),
    "write": lambda storage: storage.write_bytes("in/b.jpg", b"b"),
    "write a file": lambda storage: _write_a_file(storage),
    "replace": lambda storage: storage.replace("in/lock", b"b", None),
    "read for a replacement": lambda storage: storage.read_stored("in/a.jpg"),
    "copy": lambda storage: storage.copy("in/a.jpg", "in/c.jpg"),
    "delete": lambda storage: storage.delete("in/a.jpg"),
    "delete many": lambda storage: storage.delete_all(["in/a.jpg", "in/c.jpg"]),
}
BODY = ("read", "read foreign")  # only these have one that S3 promises the length of


def _write_a_file(storage: Storage) -> None:
    with storage.writing("in/big") as file:
        file.write(b"data")


@pytest.fixture
def storage(s3_storage: Storage, s3) -> Storage:
    s3_storage.write_bytes("in/a.jpg", b"x" * 1000)
    s3.asked.clear()
    return s3_storage


def failed(storage, s3, call: str, fault: str, **how) -> tuple[Exception | None, int]:
    """What the call raises under the fault, and how many requests it makes."""
    s3.clear()
    s3.plan(fault, **how)
    try:
        CALLS[call](storage)
    except Exception as error:
        return error, len(s3.asked)
    return None, len(s3.asked)


@pytest.mark.parametrize("fault", ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket"])
def test_what_s3_refuses_is_for_a_person_names_the_object_and_is_not_tried_again(storage, s3, fault):
    for call in CALLS:
        error, asked = failed(storage, s3, call, fault)
        assert type(error) is StorageRefused, call
        assert re.match(rf"may not .* s3://faulty/\d+/in[^ ]* \({fault}: said S3\): ", str(error)), call
        # A HEAD says only 403: one GET more finds out why, after botocore has asked for the bucket's region.
        assert asked <= 3, call


@pytest.mark.parametrize(
    ("fault", "settings"),
    [
        ("NoSuchBucket", ("storage.uri", "images.layout (paths, inventory.path)")),
        ("AccessDenied", ("storage.connection", "images.layout.connection")),
        ("InvalidAccessKeyId", ("storage.connection", "images.layout.connection")),
        ("ExpiredToken", ("storage.connection", "images.layout.connection")),
    ],
)
def test_the_advice_names_the_setting_of_the_storage_and_that_of_images_elsewhere(storage, s3, fault, settings):
    error, _ = failed(storage, s3, "read", fault)
    assert [name for name in settings if name not in str(error)] == []


def test_credentials_that_have_ended_are_worth_a_new_try_of_the_task_but_not_of_the_call(storage, s3):
    for call in CALLS:
        error, asked = failed(storage, s3, call, "ExpiredToken")
        assert type(error) is StorageFailed, call
        assert re.search(r"/in[^ ]* \(ExpiredToken: said S3\): the credentials have ended", str(error)), call
        assert asked <= 3, call


@pytest.mark.parametrize("call", ["delete", "delete many"])
def test_an_object_that_s3_does_not_delete_is_named_with_the_cause_though_the_answer_is_200(storage, s3, call):
    refused = "a.jpg" if call == "delete" else "c.jpg"
    how = {"method": "POST"}
    error, _ = failed(storage, s3, call, "AccessDenied of one", **how)
    assert type(error) is StorageRefused
    assert re.search(
        rf"may not delete s3://.*AccessDenied: \S*/in/{refused}: said S3\): give the account .* this right", str(error)
    )
    storage.write_bytes("in/a.jpg", b"x")
    error, _ = failed(storage, s3, call, "ExpiredToken of one", **how)
    assert type(error) is StorageFailed
    assert "the credentials have ended" in str(error)
    for code in ("SlowDown", "InternalError"):
        storage.write_bytes("in/a.jpg", b"x")
        error, _ = failed(storage, s3, call, f"{code} of one", **how)
        assert type(error) is StorageFailed
        assert re.search(rf"could not delete s3://.*however often.*\({code}: \S*/in/{refused}: said S3\)", str(error))
        storage.write_bytes("in/a.jpg", b"x")
        assert failed(storage, s3, call, f"{code} of one", times=1, **how)[0] is None
        assert not storage.exists("in/a.jpg")


@pytest.mark.parametrize("fault", ["AccessDenied", "ExpiredToken"])
def test_a_head_that_was_refused_for_a_moment_says_neither_that_a_person_is_needed_nor_that_the_object_is_gone(
    storage, s3, fault
):
    for key, there in (("in/a.jpg", True), ("in/none", False)):
        s3.plan(fault, method="HEAD", times=1)
        assert storage.exists(key) is there


@pytest.mark.parametrize("fault", ["SlowDown", "InternalError", "reset", "cut"])
def test_what_passes_is_tried_again_and_what_stays_fails_by_name(storage, s3, fault):
    for call in BODY if fault == "cut" else CALLS:
        assert failed(storage, s3, call, fault, times=1)[0] is None, call
        storage.write_bytes("in/a.jpg", b"x" * 1000)
        error, asked = failed(storage, s3, call, fault)
        assert type(error) is StorageFailed, call
        assert re.match(r"could not .* s3://faulty/\d+/in.*, however often it was asked \(", str(error)), call
        # The HTTP client itself sends again what met a connection that was closed while it waited.
        assert 3 <= asked <= (6 if fault == "reset" else 3), call


@pytest.mark.parametrize("fault", ["reset", "lost", "cut", "SlowDown", "AccessDenied", "ExpiredToken"])
def test_whether_there_is_an_object_is_not_known_from_half_an_answer(storage, s3, fault):
    s3.plan(fault, method="GET")
    with pytest.raises((StorageFailed, StorageRefused), match=r"not look for s3://faulty/\d+/in/none"):
        storage.exists("in/none")
    s3.clear()
    s3.plan(fault, method="GET", times=1)
    if fault in ("AccessDenied", "ExpiredToken"):
        with pytest.raises((StorageFailed, StorageRefused)):
            storage.exists("in/none")
    assert storage.exists("in/none") is False


@pytest.mark.parametrize("call", ["read", "list", "exists", "write", "delete many"])
def test_an_error_means_the_same_while_another_one_is_handled(storage, s3, call):
    """Python notes the one that is handled as the context of the new one."""
    try:
        storage.read_bytes("in/none")
    except MissingArtifact:
        error, asked = failed(storage, s3, call, "reset")
    assert type(error) is StorageFailed
    assert asked >= 3


def test_an_object_that_is_not_there_is_missing_and_a_bucket_that_is_not_there_is_said_to_be(storage, s3):
    assert storage.exists("in/none") is False
    assert storage.stamp("in/none") is None
    for call in (
        storage.read_bytes,
        lambda key: storage.read_foreign(key, "in", 9),
        lambda key: storage.copy(key, "x"),
    ):
        with pytest.raises(MissingArtifact, match="in/none"):
            call("in/none")
    nowhere = open_storage("s3://no-such-bucket/root", storage._given)
    calls = (
        nowhere.list,
        nowhere.exists,
        nowhere.folders,
        nowhere.read_bytes,
        lambda key: nowhere.delete_all([key, "b"]),
    )
    for call in calls:
        with pytest.raises(StorageRefused, match="there is no such bucket"):
            call("a")


@pytest.mark.parametrize(
    ("number", "wanted", "tries"),
    [
        (errno.EACCES, StorageRefused, 1),
        (errno.EROFS, StorageRefused, 1),
        (errno.EIO, DamagedFile, 3),
        (errno.ENOSPC, StorageFailed, 3),
        (errno.ESTALE, StorageFailed, 3),
        (errno.ENOENT, MissingArtifact, 1),
    ],
)
def test_errors_of_a_folder_are_sorted_by_their_number(monkeypatch, number, wanted, tries):
    monkeypatch.setattr(storage_errors, "PAUSES", (0, 0))
    asked = []

    def call() -> None:
        asked.append(1)
        raise OSError(number, os.strerror(number))

    with pytest.raises(wanted, match="file:///x/y") as found:
        storage_errors.calling("read", "file:///x/y", call)
    assert type(found.value) is wanted
    assert len(asked) == tries


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_who_may_not_write_to_a_folder_is_told_which_user_needs_the_right(monkeypatch, number):
    def call() -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(StorageRefused) as found:
        storage_errors.calling("write", "file:///x/y", call)
    assert f"give the user that runs this (uid {os.geteuid()}) the right there" in str(found.value)
    assert "connection" not in str(found.value)


@pytest.mark.parametrize("call", ["write", "write a file"])
def test_a_disk_that_is_full_is_named_with_the_object_and_the_old_one_stays(tmp_path, monkeypatch, call):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_bytes("in/b.jpg", b"old")
    storage.write_bytes("in/big", b"old")
    monkeypatch.setattr(storage_errors, "PAUSES", (0,))

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFailed, match=r"could not write file:///.*/in/b.*No space left"):
        CALLS[call](storage)
    assert [storage.read_bytes(item.key) for item in storage.list("in")] == [b"old", b"old"]


def test_a_mistake_in_a_program_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError):
        storage_errors.calling("read", "x", lambda: 1 / 0)


def test_an_outage_is_waited_for_between_tries(monkeypatch):
    pauses, answers = [], [ConnectionResetError(errno.ECONNRESET, "reset"), TimeoutError(), None]
    monkeypatch.setattr(storage_errors.time, "sleep", pauses.append)

    def call() -> str:
        error = answers.pop(0)
        if error:
            raise error
        return "bytes"

    assert storage_errors.calling("read", "x", call) == "bytes"
    assert pauses == list(storage_errors.PAUSES)


@pytest.mark.parametrize(
    ("uri", "login", "said"),
    [
        ("az://box", {"account_name": "a", "account_key": "no-key"}, "Invalid Access Key"),
        ("az://box", {"account_key": "AAAA"}, "Account must be specified"),
        ("az://box", {"account_name": "a", "sas_key": "none"}, "SAS"),
        ("gs://box", {"service_account_key": "{}"}, "missing field `private_key`"),
        ("gs://box", {"application_credentials": "/none/such.json"}, "/none/such.json"),
        ("s3://box", S3Login(boto3.Session("k", "s"), "127.0.0.1:9000"), "Invalid endpoint: 127.0.0.1:9000"),
    ],
)
def test_a_login_or_address_that_is_none_is_refused_at_once_with_the_settings(monkeypatch, uri, login, said):
    monkeypatch.setattr(storage_errors.time, "sleep", lambda _: pytest.fail("it was to be tried again"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(
        StorageRefused, match=f"{re.escape(said)}.*correct storage.connection .images.layout.connection"
    ):
        open_storage(uri, login).list("x")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """The address of a server that says the same to everybody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers["content-length"] or 0))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [400, 401])
def test_who_gives_no_token_is_told_with_its_words_and_the_credentials_are_to_be_corrected(status):
    said = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
    with answering(status, json.dumps(said).encode()) as host:
        login = {"account_name": "a", "tenant_id": "t", "client_id": "c", "client_secret": "s", "authority_host": host}
        storage = open_storage("az://box", {**login, "client_options": {"allow_http": True}})
        with pytest.raises(
            StorageRefused, match=r"Invalid client secret provided.*: correct the credentials of storage"
        ):
            storage.list("x")


def test_a_sas_token_that_has_ended_is_told_with_when_it_did():
    """As Azure answers; its emulator leaves the detail out."""
    detail = "Signature not valid in the specified time frame: Start [x] - Expiry [y] - Current [z]"
    body = (
        "<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the request.</Message>"
        f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"
    )
    with answering(403, body.encode()) as host:
        login = {"account_name": "a", "sas_key": "sv=1&sig=x", "endpoint": host, "client_options": {"allow_http": True}}
        with pytest.raises(StorageRefused, match=rf"{re.escape(detail)}.*a SAS token may have ended"):
            open_storage("az://box", login).list("x")


def test_a_wrong_key_of_azure_is_no_missing_right(az_storage, azure_login):
    wrong = {**azure_login, "account_key": f"AAAA{azure_login['account_key'][4:]}"}
    with pytest.raises(
        StorageRefused, match=r"Server failed to authenticate the request.*: correct the credentials of"
    ):
        open_storage(az_storage.uri, wrong).list("x")


def test_where_nobody_answers_the_address_may_be_wrong(monkeypatch):
    monkeypatch.setattr(storage_errors, "PAUSES", (0, 0))
    nobody = login_at(f"http://127.0.0.1:{free_port()}", tries=1)
    for call in (lambda storage: storage.list("x"), lambda storage: storage.reach()):
        with pytest.raises(
            StorageFailed, match=r"if it never answered, correct the address or region of storage\.conn"
        ):
            call(open_storage("s3://box", nobody))
