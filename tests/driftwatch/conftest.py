"""A server of S3's API (moto's) over real HTTP that fails as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from driftwatch.storage import Storage, open_storage
from driftwatch.storage.s3 import S3Login

from ..faulty_s3 import FaultyS3, serving
from .s3 import login_at, make_bucket


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
def s3_login(s3_server: tuple[FaultyS3, str]) -> S3Login:
    """There is one bucket, `faulty`; boto3 and obstore do not try again by themselves."""
    login = login_at(s3_server[1], tries=1)
    make_bucket(login, "faulty")
    return login


_numbers = count()


@pytest.fixture
def s3_storage(s3: FaultyS3, s3_login: S3Login, monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Empty; its pauses are short."""
    from driftwatch.storage import errors as storage_errors

    monkeypatch.setattr(storage_errors, "PAUSES", (0.01, 0.01))
    return open_storage(f"s3://faulty/{next(_numbers)}", s3_login)
