"""Which kinds of storage there are, by the scheme of their address."""

from __future__ import annotations

from typing import Any, cast

from driftwatch.errors import DriftwatchError
from driftwatch.seams import Seam
from driftwatch.storage.base import Storage
from driftwatch.storage.clouds import AzureStorage, GoogleStorage
from driftwatch.storage.file import FileStorage
from driftwatch.storage.s3 import S3Storage

BUILT_IN: dict[str, type[Storage]] = {
    kind.scheme: kind for kind in (FileStorage, S3Storage, GoogleStorage, AzureStorage)
}
# An entry point of another package is named by its scheme, and is a subclass of Storage.
SEAM = Seam("kind of storage", "driftwatch.storages", {})


def open_storage(uri: str, login: Any = None) -> Storage:
    """The storage at `uri`, like `file:///absolute/folder`, `s3://bucket/prefix`, `gs://bucket/prefix` or `az://container/prefix`.

    `login`: what an object store is opened with, such as S3Login; by default the credentials are those of the environment.
    """
    return storage_kind(uri)(uri.partition("://")[2], login)


def storage_kind(uri: str) -> type[Storage]:
    """The kind of storage that `uri` names. Raises DriftwatchError where there is none, or the rest of the address is none of its."""
    scheme, _, root = uri.partition("://")
    kind = BUILT_IN.get(scheme) or cast(type[Storage] | None, SEAM.installed(scheme))
    if kind is None or not kind.allows(root):
        allowed = dict.fromkeys(known.example for known in (*BUILT_IN.values(), kind) if known)
        raise DriftwatchError(
            f"storage uri {uri!r}: allowed are {', '.join(allowed)}; set storage.uri in the monitor file"
        )
    if kind.extra:
        kind.extra.require(f"the storage uri {uri!r}")
    return kind
