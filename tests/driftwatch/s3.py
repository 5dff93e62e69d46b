"""A storage on the S3 API of the tests' own server."""

from __future__ import annotations

from driftwatch.storage import Storage


def open_s3(endpoint: str, uri: str) -> Storage:
    import s3fs

    return Storage(uri, s3fs.S3FileSystem(key="k", secret="s", endpoint_url=endpoint, use_listings_cache=False))
