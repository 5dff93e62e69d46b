"""An S3 API of its own for the tests of storage and locks."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from driftwatch.storage import Storage

from .s3 import open_s3


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """moto's server. Its PUT looks and then writes; S3's does both at once, and so does this one's."""
    from moto.s3.responses import S3Response
    from moto.server import ThreadedMotoServer

    put, one = S3Response.put_object, threading.Lock()

    def put_at_once(self: Any) -> Any:
        with one:
            return put(self)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3Response, "put_object", put_at_once)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def s3_storage(s3_endpoint: str) -> Storage:
    """An empty storage in a bucket of its own."""
    bucket = f"bucket-{os.urandom(4).hex()}"
    storage = open_s3(s3_endpoint, f"s3://{bucket}/root")
    storage._fs.mkdir(bucket)
    return storage
