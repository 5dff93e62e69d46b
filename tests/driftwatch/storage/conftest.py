"""Every kind of storage. A new one joins by one line here, and is then put through each test that takes `storage`."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftwatch.storage import Storage, open_storage

# By scheme, the fixture that makes an empty root.
KINDS = {
    "file": "file_storage",
    "s3": "s3_storage",
}


@pytest.fixture
def file_storage(tmp_path: Path) -> Storage:
    return open_storage(f"file://{tmp_path}")


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest) -> Storage:
    return request.getfixturevalue(KINDS[request.param])
