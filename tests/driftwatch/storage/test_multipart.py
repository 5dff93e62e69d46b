"""What is too large for one PUT goes to S3 in parts: a fault at any of its requests leaves the whole old object or the whole new one."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from driftwatch.errors import ReplacedMeanwhile, StorageFailed, StorageRefused
from driftwatch.storage import Storage, object_store, open_storage
from driftwatch.storage import s3 as s3_module

LARGE = bytes(range(256)) * 50_000  # three parts of five megabytes
STEPS = {"begin": ("POST", r"\?uploads"), "a part": ("PUT", "partNumber=2&"), "end": ("POST", r"\?uploadId=")}


def write(storage: Storage) -> Exception | None:
    try:
        with storage.writing("in/large") as file:
            file.write(LARGE)
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("step", STEPS)
def test_a_fault_of_a_large_write_passes_or_is_named_and_the_old_object_stays(s3_storage, s3, step):
    method, path = STEPS[step]
    for fault in ("SlowDown", "reset", "lost", "ExpiredToken", "AccessDenied"):
        s3.clear()
        s3_storage.write_bytes("in/large", b"old")
        s3.plan(fault, path, method=method)
        error = write(s3_storage)
        assert type(error) is (StorageRefused if fault == "AccessDenied" else StorageFailed), fault
        assert re.match(r"(could|may) not write s3://faulty/\d+/in/large", str(error))
        s3.clear()
        # S3 ended the upload before its answer was lost: then the object is the new one, whole.
        assert s3_storage.read_bytes("in/large") in ((LARGE,) if (step, fault) == ("end", "lost") else (b"old",)), fault
        if fault in ("SlowDown", "reset", "lost"):
            s3_storage.write_bytes("in/large", b"old")
            s3.plan(fault, path, method=method, times=1)
            assert write(s3_storage) is None, fault
            assert s3_storage.read_bytes("in/large") == LARGE


def test_a_larger_object_has_larger_parts_so_that_they_are_no_more_than_the_store_takes(s3_storage, s3, monkeypatch):
    monkeypatch.setattr(object_store, "_MOST_PARTS", 2)
    s3.asked.clear()
    assert write(s3_storage) is None
    assert sorted(re.findall(r"partNumber=\d+", " ".join(s3.asked))) == ["partNumber=1", "partNumber=2"]
    assert s3_storage.read_bytes("in/large") == LARGE


@pytest.mark.parametrize("gigabytes", [0.004, 50, 60, 600, 5 * 1024])
def test_the_parts_of_an_object_of_any_size_are_within_what_s3_google_and_azure_take(gigabytes, monkeypatch):
    asked: dict[str, int] = {}

    def put(key: str, file: Path, **how: int) -> None:
        asked.update(how, size=file.stat().st_size)

    storage = open_storage("s3://bucket/prefix")
    monkeypatch.setitem(vars(storage), "_opened_once", SimpleNamespace(put=put))
    with storage.writing("days/embeddings.npy") as file:
        file.truncate(int(gigabytes * 2**30))
    part = asked["chunk_size"]
    assert asked["size"] / part <= 10_000
    assert 5 * 2**20 <= part <= 5 * 2**30
    assert asked["max_concurrency"] * part <= max(part, 60 * 2**20)
    assert asked["max_concurrency"] >= 1


@pytest.mark.parametrize(
    ("code", "advice"), [("InvalidArgument", "no right is missing"), ("EntityTooLarge", "takes no object of this size")]
)
def test_a_part_that_s3_does_not_take_is_no_lack_of_a_right(s3_storage, s3, code, advice):
    s3.plan(code, "partNumber=2&", method="PUT")
    error = write(s3_storage)
    assert type(error) is StorageRefused
    assert re.search(rf"may not write s3://\S*/in/large \({code}: said S3\): .*{advice}", str(error))
    assert "account" not in str(error)


def test_what_s3_does_not_copy_by_one_request_is_copied_part_by_part(s3_storage, s3, monkeypatch):
    monkeypatch.setattr(s3_module, "_COPIED_PART", 5 * 2**20)
    assert write(s3_storage) is None
    for code in ("InvalidRequest", "EntityTooLarge"):
        s3_storage.delete("in/copy")
        s3.plan(code, "in/copy", method="PUT", times=1)
        s3.asked.clear()
        s3_storage.copy("in/large", "in/copy")
        assert len(re.findall(r"PUT \S*in/copy\S*partNumber=\d", " ".join(s3.asked))) == 3
        assert not [asked for asked in s3.asked if asked.startswith("GET")]  # no bytes pass here
        assert s3_storage.read_bytes("in/copy") == LARGE


def test_a_large_copy_that_is_refused_or_whose_source_is_replaced_meanwhile_is_told_and_leaves_the_old_object(
    s3_storage, s3, monkeypatch
):
    monkeypatch.setattr(s3_module, "_COPIED_PART", 5 * 2**20)
    assert write(s3_storage) is None
    s3_storage.write_bytes("in/copy", b"old")
    for code, kind in (
        ("AccessDenied", StorageRefused),
        ("SlowDown", StorageFailed),
        ("PreconditionFailed", ReplacedMeanwhile),
    ):
        s3.plan("InvalidRequest", r"in/copy\?$", method="PUT")
        s3.plan(code, r"partNumber=2\b", method="PUT")
        with pytest.raises(kind, match="in/large"):
            s3_storage.copy("in/large", "in/copy")
        s3.clear()
        assert s3_storage.read_bytes("in/copy") == b"old"
    s3.plan("InvalidRequest", "in/copy", method="PUT")  # for another reason
    with pytest.raises(StorageRefused, match=r"in/large .*InvalidRequest"):
        s3_storage.copy("in/large", "in/copy")
