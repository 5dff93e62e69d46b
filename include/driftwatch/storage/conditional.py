"""Objects of S3 that are replaced only where they are still what was read: If-Match and If-None-Match, by s3fs' own client."""

from __future__ import annotations

from typing import Any

from driftwatch.errors import NeedsAttention
from driftwatch.storage.base import Stored

_CONDITION_IS_FALSE, _NOT_IMPLEMENTED = 412, 501
# Another write of the same object is under way, which may fail: AWS asks to try again.
_CONFLICT, _TRIES = 409, 3


def get(fs: Any, path: str) -> Stored | None:
    """The object as it is now; None where there is none."""
    from fsspec.asyn import sync

    bucket, key, _ = fs.split_path(path)

    async def fetch() -> Stored:
        answer = await fs._call_s3("get_object", Bucket=bucket, Key=key)
        async with answer["Body"] as body:
            return Stored(await body.read(), answer["ETag"])

    try:
        return sync(fs.loop, fetch)
    except FileNotFoundError as error:
        if _answer(error)[1] == "NoSuchBucket":
            raise
        return None


def put(fs: Any, path: str, data: bytes, found: Stored | None) -> Stored | None:
    """Writes the object where it is still `found` (None: where there is none); returns what it is now, None where it is another."""
    bucket, key, _ = fs.split_path(path)
    condition = {"IfNoneMatch": "*"} if found is None else {"IfMatch": found.etag}
    for _ in range(_TRIES):
        try:
            answer = fs.call_s3("put_object", Bucket=bucket, Key=key, Body=data, **condition)
            return Stored(data, answer["ETag"])
        except OSError as error:
            status, code = _answer(error)
            if status == _NOT_IMPLEMENTED:
                raise NeedsAttention(
                    f"s3://{path}: the server knows no conditional writes ({code}), without which two runs at once would pay twice: "
                    "use one that has them, as AWS S3, MinIO and Ceph do"
                ) from error
            if status not in (_CONFLICT, _CONDITION_IS_FALSE) and code != "NoSuchKey":
                raise
        # A repeat of a write whose first answer was lost gets this answer too.
        now = get(fs, path)
        if now and now.data == data:
            return now
        if status != _CONFLICT or now != found:
            return None
    return None


def _answer(error: BaseException) -> tuple[int | None, str | None]:
    """The server's HTTP status and error code; s3fs keeps them in the cause of its own error, in botocore's form."""
    response: dict[str, Any] = getattr(error.__cause__, "response", None) or {}
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode"), response.get("Error", {}).get("Code")
