"""Every kind of storage. A new one joins by one line here, and is then put through each test that takes `storage`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.azure_server.running import ACCOUNT, INSTALLED, KEY, azurite, make_container

from driftwatch.storage import Storage, open_storage

from .google import serving_google

# By scheme, the fixture that makes an empty root.
KINDS = {
    "file": "file_storage",
    "s3": "s3_storage",
    "gs": "gs_storage",
    "az": "az_storage",
}
_numbers = count()


@pytest.fixture
def file_storage(tmp_path: Path) -> Storage:
    return open_storage(f"file://{tmp_path}")


@pytest.fixture(scope="session")
def gcs_endpoint() -> Iterator[str]:
    with serving_google("bucket") as address:
        yield address


@pytest.fixture
def gs_storage(gcs_endpoint: str) -> Storage:
    login = {"base_url": gcs_endpoint, "credential_provider": _token, "client_options": {"allow_http": True}}
    return open_storage(f"gs://bucket/{next(_numbers)}", login)


@pytest.fixture
def gs_client(gcs_endpoint: str) -> Any:
    """Writes what obstore cannot, such as keys that end in `/`."""
    return _client(gcs_endpoint)


@pytest.fixture
def s3_client(s3_server: Any, s3_login: Any) -> Any:
    return _client(s3_server[1])


def _client(endpoint: str) -> Any:
    import boto3

    return boto3.client("s3", "us-east-1", endpoint_url=endpoint, aws_access_key_id="k", aws_secret_access_key="s")


def _token() -> dict[str, Any]:
    return {"token": "t", "expires_at": None}


@pytest.fixture(scope="session")
def azure_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not INSTALLED.exists():
        pytest.skip("Azurite is not installed: make azure-server installs it")
    with azurite(tmp_path_factory.mktemp("azurite")) as address:
        make_container(address, "container")
        yield address


@pytest.fixture
def azure_login(azure_address: str) -> dict[str, Any]:
    return {
        "account_name": ACCOUNT,
        "account_key": KEY,
        "endpoint": azure_address,
        "client_options": {"allow_http": True},
        "retry_config": {"max_retries": 0},
    }


@pytest.fixture
def az_storage(azure_login: dict[str, Any]) -> Storage:
    return open_storage(f"az://container/{next(_numbers)}", azure_login)


@pytest.fixture(params=KINDS)
def storage(request: pytest.FixtureRequest) -> Storage:
    return request.getfixturevalue(KINDS[request.param])
