"""Which credentials sign an S3 storage's links, and how long they last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftwatch.storage import Storage


@dataclass(frozen=True)
class SigningCredentials:
    """`temporary`: they come with a session token, as those of roles do. `end`: when they stop working, where they tell it."""

    temporary: bool
    end: datetime | None = None


def credentials_of(storage: Storage) -> SigningCredentials:
    """The credentials that the s3:// storage's next presigned link is signed with; those that renew themselves do so first."""
    from fsspec.asyn import sync

    filesystem = storage._fs
    signer = filesystem.s3._request_signer
    found = signer._credentials
    if found is None:  # anonymous: links carry no signature, and last as long as the bucket is open to all
        return SigningCredentials(temporary=False)
    frozen = sync(filesystem.loop, found.get_frozen_credentials)
    return SigningCredentials(bool(frozen.token), getattr(found, "_expiry_time", None) if frozen.token else None)
