"""Which kinds of storage there are, by the scheme of their address."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, cast

from driftwatch.errors import ConfigError, DriftwatchError
from driftwatch.storage.base import Storage
from driftwatch.storage.file import FileStorage
from driftwatch.storage.s3 import S3Storage

BUILT_IN: dict[str, type[Storage]] = {kind.scheme: kind for kind in (FileStorage, S3Storage)}
# Entry points of other packages, named by scheme, each a subclass of Storage.
GROUP = "driftwatch.storages"


def open_storage(uri: str, filesystem: Any = None) -> Storage:
    """The storage at `uri`, like `file:///absolute/folder` or `s3://bucket/prefix`.

    `filesystem`: the fsspec file system of an object store; by default one that takes its credentials from the environment.
    """
    scheme, _, root = uri.partition("://")
    kind = BUILT_IN.get(scheme) or _added(scheme)
    if kind is None or not kind.allows(root):
        allowed = dict.fromkeys(known.example for known in (*BUILT_IN.values(), kind) if known)
        raise DriftwatchError(
            f"storage uri {uri!r}: allowed are {' and '.join(allowed)}; set storage.uri in the monitor file"
        )
    return kind(root, filesystem)


def _added(scheme: str) -> type[Storage] | None:
    """The kind that another package gives for `scheme`; raises ConfigError where it cannot be loaded."""
    for found in entry_points(group=GROUP, name=scheme):
        try:
            return cast(type[Storage], found.load())
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"storage.uri begins with {scheme}://, and the entry point {found.value} for it cannot be loaded "
                f"({type(error).__name__}: {error}): correct the package that brings it"
            ) from error
    return None
