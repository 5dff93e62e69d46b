"""Many objects of S3 are read over signed links by libcurl; what that does not get is read by obstore, which says what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from driftwatch.errors import OddEntry, StorageFailed
from driftwatch.storage import by_links
from driftwatch.storage.s3 import S3Storage

KEYS = [f"in/{number:02}" for number in range(40)]


@pytest.fixture
def filled(s3_storage, s3):
    for key in KEYS:
        s3_storage.write_bytes(key, key.encode())
    s3.asked.clear()
    return s3_storage


@pytest.fixture
def by_obstore(monkeypatch) -> list[str]:
    """The keys that obstore was asked for."""
    keys, read = [], S3Storage.read_foreign
    monkeypatch.setattr(S3Storage, "read_foreign", lambda self, key, *how: (keys.append(key), read(self, key, *how))[1])
    return keys


def contents(storage, keys=KEYS, **how) -> list[str]:
    return [one.data.decode() for one in storage.iter_foreign(keys, "in", 100, **how)]


def test_each_object_is_one_request_and_none_is_left_to_obstore(filled, by_obstore, s3):
    assert contents(filled) == KEYS
    assert (by_obstore, [asked.split()[0] for asked in s3.asked]) == ([], ["GET"] * len(KEYS))


@pytest.mark.parametrize("fault", ["cut", "reset", "SlowDown", "InternalError"])
def test_what_fails_once_is_read_by_obstore_and_the_rest_by_links(filled, by_obstore, s3, fault):
    s3.plan(fault, r"in/07", method="GET", times=1)
    assert contents(filled) == KEYS
    assert by_obstore == ["in/07"]


def test_an_object_that_fails_for_good_is_told_by_name_and_loses_no_other(filled, s3):
    s3.plan("SlowDown", r"in/07", method="GET")
    fetched = {one.key: one for one in filled.iter_foreign(KEYS, "in", 100)}
    assert list(fetched) == KEYS
    assert isinstance(fetched["in/07"].error, StorageFailed)
    assert "in/07" in str(fetched.pop("in/07").error)
    assert all(one.content == key.encode() for key, one in fetched.items())


def test_where_links_do_not_work_obstore_reads_on_after_three(filled, by_obstore, monkeypatch, caplog):
    """As where a policy of the bucket takes no signature in an address, or certificates are known to obstore alone."""
    monkeypatch.setattr(S3Storage, "_signed", lambda self, names: [f"{self.uri}/no-such-link" for _ in names])
    assert contents(filled) == KEYS
    assert sorted(by_obstore) == KEYS
    with caplog.at_level("INFO"):
        contents(filled)
    assert "links do not work here" in caplog.text


def test_where_no_link_can_be_signed_obstore_reads_all(filled, by_obstore, monkeypatch):
    import obstore

    def refused(*_):
        raise obstore.exceptions.NotSupportedError("anonymous")

    monkeypatch.setattr(obstore, "sign", refused)
    assert contents(filled) == KEYS
    assert sorted(by_obstore) == KEYS


@pytest.fixture
def loading():
    by_links.library.cache_clear()
    yield
    by_links.library.cache_clear()


@pytest.mark.usefixtures("loading")
def test_without_libcurl_obstore_reads_all(filled, by_obstore, monkeypatch):
    monkeypatch.setattr(by_links, "find_spec", lambda _: None)
    assert contents(filled) == KEYS
    assert sorted(by_obstore) == KEYS


@pytest.mark.usefixtures("loading")
def test_where_libcurl_cannot_be_loaded_obstore_reads_all_and_a_warning_says_so(
    filled, by_obstore, monkeypatch, caplog
):
    monkeypatch.setattr(by_links, "find_spec", lambda _: "a library that this system cannot load")
    monkeypatch.setitem(sys.modules, "pycurl", None)
    assert contents(filled) == KEYS
    assert sorted(by_obstore) == KEYS
    assert "pycurl cannot be loaded" in caplog.text


def test_libcurl_stays_its_own_beside_tensorflow(filled, s3_login):
    """TensorFlow shows its own libcurl, an older one, to what is loaded after it."""
    code = f"""
import tensorflow
from driftwatch.storage import by_links, open_storage
from driftwatch.storage.s3 import S3Storage

def refused(*_):
    raise AssertionError("obstore was asked")

S3Storage.read_foreign = refused
storage = open_storage({filled.uri!r})
print([one.data.decode() for one in storage.iter_foreign({KEYS!r}, "in", 100)] == {KEYS!r})
"""
    login = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **login, "AWS_ENDPOINT_URL": s3_login.endpoint_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == "True\n", found.stderr


def test_an_object_that_has_become_too_large_is_not_fetched_whole(filled):
    filled.write_bytes("in/07", b"x" * 10_000_000)
    errors = {one.key: one.error for one in filled.iter_foreign(KEYS, "in", 100) if one.error}
    assert isinstance(errors.pop("in/07"), OddEntry)
    assert errors == {}


def test_a_consumer_may_go_in_the_middle(filled):
    found = filled.iter_foreign(KEYS, "in", 100, at_once=4)
    assert next(found).content == b"in/00"
    found.close()
    assert contents(filled, KEYS[:3], at_once=1) == KEYS[:3]
