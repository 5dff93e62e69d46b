"""What is too large for one PUT goes to S3 in parts: a fault at any of its requests leaves the whole old object or the whole new one."""

from __future__ import annotations

import re

import pytest

from driftwatch.errors import StorageFailed, StorageRefused
from driftwatch.storage import Storage

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
