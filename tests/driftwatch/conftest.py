"""A server of S3's API (moto's) over real HTTP that fails as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from driftwatch.storage import Storage, open_storage

from ..faulty_s3 import FaultyS3, serving


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[FaultyS3, str]]:
    with serving() as served:
        yield served


@pytest.fixture(scope="session")
def s3_endpoint(s3_server: tuple[FaultyS3, str]) -> str:
    """Its address, for processes and file systems of a test's own."""
    return s3_server[1]


@pytest.fixture
def s3(s3_server: tuple[FaultyS3, str]) -> Iterator[FaultyS3]:
    s3_server[0].clear()
    yield s3_server[0]
    s3_server[0].clear()


@pytest.fixture(scope="session")
def s3_filesystem(s3_server: tuple[FaultyS3, str]) -> Any:
    """With one bucket, `faulty`; botocore and s3fs do not try again by themselves."""
    import s3fs

    filesystem = s3fs.S3FileSystem(
        key="k",
        secret="s",
        endpoint_url=s3_server[1],
        use_listings_cache=False,
        skip_instance_cache=True,
        config_kwargs={"retries": {"max_attempts": 0}},
    )
    filesystem.retries = 1
    filesystem.mkdir("faulty")
    return filesystem


_numbers = count()


@pytest.fixture
def s3_storage(s3: FaultyS3, s3_filesystem: Any, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Empty; its pauses are short."""
    from driftwatch.storage import errors as storage_errors

    monkeypatch.setattr(storage_errors, "PAUSES", (0.01, 0.01))
    return open_storage(f"s3://faulty/{next(_numbers)}", s3_filesystem)
