"""A storage root on S3, or on a server that speaks its API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from driftwatch.errors import OddEntry
from driftwatch.outside import touching
from driftwatch.seams import Extra
from driftwatch.storage import conditional
from driftwatch.storage.base import Entry, SigningCredentials, Stored
from driftwatch.storage.errors import Meaning, asks_for_more, calling, meaning_of
from driftwatch.storage.foreign_files import too_many_bytes
from driftwatch.storage.object_store import ObjectStore

T = TypeVar("T")


class S3Storage(ObjectStore):
    """`filesystem`: s3fs', by default one that takes its credentials from the environment, as boto3 does."""

    scheme = "s3"
    example = "s3://bucket/prefix"
    extra = Extra("s3", "s3fs")

    def reach(self) -> None:
        self._listed_one()

    def clock(self) -> datetime | None:
        headers = self._listed_one()["ResponseMetadata"]["HTTPHeaders"]
        return parsedate_to_datetime(headers["date"]) if "date" in headers else None

    def _listed_one(self) -> Any:
        bucket = self.root.split("/")[0]
        return calling("list", self.uri, lambda: self._fs.call_s3("list_objects_v2", Bucket=bucket, MaxKeys=1))

    def signing_credentials(self) -> SigningCredentials:
        from fsspec.asyn import sync

        found = self._fs.s3._request_signer._credentials
        if found is None:  # anonymous: links have no signature, and work as long as the bucket is open to all
            return SigningCredentials(temporary=False)
        frozen = sync(self._fs.loop, found.get_frozen_credentials)
        return SigningCredentials(bool(frozen.token), getattr(found, "_expiry_time", None) if frozen.token else None)

    def read_stored(self, key: str) -> Stored | None:
        path = self.path(key)
        return self._calling("read", key, lambda: conditional.get(self._fs, path))

    def replace(self, key: str, data: bytes, found: Stored | None) -> Stored | None:
        path = self.path(key)
        with touching(f"storage replace {key}"):
            return self._calling("write", key, lambda: conditional.put(self._fs, path, data, found))

    def _look(self, path: str) -> Entry:
        found = self._fs.info(path)
        return Entry(str(found["ETag"]) if "ETag" in found else None)

    def _read(self, path: str) -> bytes:
        # With more than one connection for an object, s3fs first asks for its size: two requests instead of one.
        return bytes(self._fs.cat_file(path, max_concurrency=1))

    def _read_foreign(self, path: str, folder: str, limit: int) -> bytes:
        # Proxies on the way to S3 resolve such parts, and would give another object.
        if {"", ".", ".."} & set(path.removeprefix(f"{folder}/").split("/")):
            raise OddEntry("unsafe_name", "has an empty part, '.' or '..' in its key; store it under another")
        from fsspec.asyn import sync

        return sync(self._fs.loop, _read_whole, self._fs, path, limit)

    def _write(self, path: str, data: bytes, content_type: str | None) -> None:
        self._fs.pipe_file(path, data, **({"ContentType": content_type} if content_type else {}))

    def _calling(self, verb: str, key: str, call: Callable[[], T]) -> T:
        def told() -> T:
            try:
                return call()
            except Exception as error:
                if not asks_for_more(error):
                    raise
            # Not inside the handler: the first error would be taken for the cause of the next ones.
            self._ask_why(key)
            return call()  # nothing is wrong any more

        return super()._calling(verb, key, told)

    def _ask_why(self, key: str) -> None:
        """Asks S3 why the object cannot be read, and raises that; returns if it can."""
        try:
            self._read_range(self.path(key), 0, 1)
        except Exception as error:
            if meaning_of(error) is not Meaning.GONE:
                raise


async def _read_whole(filesystem: Any, path: str, limit: int) -> bytes:
    """Reads in one request, which ends early if the body is larger than `limit`. The checksum is checked; that of a range would not be."""
    bucket, key, _ = filesystem.split_path(path)
    answer = await filesystem._call_s3("get_object", Bucket=bucket, Key=key)
    body = answer["Body"]
    try:
        if int(answer["ContentLength"]) > limit:
            raise too_many_bytes(int(answer["ContentLength"]), limit)
        return bytes(await body.read())
    finally:
        body.close()
