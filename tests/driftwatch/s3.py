"""A storage on the S3 API of the tests' own server."""

from __future__ import annotations

from driftwatch.storage import Storage, open_storage


def open_s3(endpoint: str, uri: str) -> Storage:
    import s3fs

    return open_storage(uri, s3fs.S3FileSystem(key="k", secret="s", endpoint_url=endpoint, use_listings_cache=False))
