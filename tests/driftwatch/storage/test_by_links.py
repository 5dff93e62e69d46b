"""Many objects of S3 are read over signed links by libcurl; what that does not get is read by obstore, which says what is wrong."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
import tracemalloc
from dataclasses import replace

import pytest
from botocore.config import Config

from driftwatch.errors import OddEntry, StorageFailed
from driftwatch.storage import by_links, open_storage
from driftwatch.storage import s3 as s3_module
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


@pytest.mark.parametrize("fault", ["cut", "untold", "reset", "SlowDown", "InternalError"])
def test_what_fails_once_is_read_by_obstore_and_the_rest_by_links(filled, by_obstore, s3, fault):
    s3.plan(fault, r"in/07", method="GET", times=1)
    assert contents(filled) == KEYS
    assert by_obstore == ["in/07"]


def test_a_large_day_on_which_single_answers_fail_is_read_by_links_to_its_end(filled, by_obstore, s3, monkeypatch):
    monkeypatch.setattr(s3_module, "_ONE_OF", 10)
    failing = KEYS[5::10]
    for key in failing:
        s3.plan("reset", key, method="GET", times=1)
    assert contents(filled) == KEYS
    assert by_obstore == failing


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
    filled, by_obstore, monkeypatch, tmp_path, caplog
):
    (tmp_path / "pycurl.py").write_text("raise ImportError('libcurl link-time ssl backend (gnutls) is different')")
    monkeypatch.delitem(sys.modules, "pycurl", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
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


def test_a_server_that_falls_silent_is_given_up_after_part_of_a_second_too(filled, by_obstore, s3, s3_login):
    hasty = replace(s3_login, config=s3_login.config.merge(Config(read_timeout=0.5)))
    s3.plan("silent", r"in/07", method="GET", times=1)
    assert contents(open_storage(filled.uri, hasty)) == KEYS
    assert "in/07" in by_obstore


def test_a_consumer_that_goes_does_not_wait_for_a_silent_server(filled, s3):
    s3.plan("silent", r"in/[123]", method="GET")
    found = filled.iter_foreign(KEYS, "in", 100)
    assert [next(found).key for _ in range(10)] == KEYS[:10]
    began = time.monotonic()
    found.close()
    assert time.monotonic() - began < 5


def test_a_body_is_let_go_of_when_the_consumer_has_it(filled):
    for key in KEYS[:16]:
        filled.write_bytes(key, bytes(1_000_000))
    links = [(key, filled.presigned_url(key, 60)) for key in KEYS[:16]]
    tracemalloc.start()
    try:
        for key, data in by_links.read(links, by_links.How(10**7, 5, 30, 60), 16):
            assert len(data) == 1_000_000
            if key == links[-1][0]:
                mine = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, by_links.__file__)])
        assert sum(one.size for one in mine.statistics("filename")) < 3_000_000
    finally:
        tracemalloc.stop()


def test_waiting_takes_no_processor_time_where_a_process_has_many_files_open(filled, s3):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        s3.plan("silent", r"in/00", method="GET", times=1)
        answers = threading.Timer(3, s3.clear)
        answers.start()
        began = time.process_time()
        assert contents(filled, KEYS[:1]) == KEYS[:1]
        assert time.process_time() - began < 1.5
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        answers.join()
