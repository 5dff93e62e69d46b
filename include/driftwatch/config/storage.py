"""The section `storage` of the monitor file."""

from __future__ import annotations

import os
import re
from importlib.metadata import entry_points
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from driftwatch.config.keep import KeepConfig
from driftwatch.config.parts import Section

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


def _expand(value: str) -> str:
    """Replaces `${NAME}` and `${NAME:-default}` by the environment variable, so that one file serves several deployments."""

    def replace(match: re.Match[str]) -> str:
        found = os.environ.get(match["name"], match["default"])
        if found is None:
            raise ValueError(f"environment variable {match['name']} is not set and has no default (${{NAME:-default}})")
        return found

    return _VARIABLE.sub(replace, value)


# The type of the refusal of an address with a login, whose value is not shown.
HAS_LOGIN = "has_login"


def _refuse_login(address: str) -> None:
    """Addresses stand in messages, on pages, in reports and in XComs."""
    if re.match(r"(s3|gs|az)://[^/]*@|[^/]+://[^/@]*:[^/]*@", address):
        raise PydanticCustomError(
            HAS_LOGIN,
            "holds a user or a password before its @: leave it out, and name the Airflow connection that has it",
        )


def _storage_uri(value: str) -> str:
    expanded = _expand(value).rstrip("/")
    _refuse_login(expanded)
    if "${" in expanded:
        raise ValueError(f"{expanded!r} still has a ${{ in it: allowed are ${{NAME}} and ${{NAME:-default}}")
    if not re.match(r"^(file:///.+|(s3|gs|az)://[^/]+)", expanded) and not _has_storage_of_its_own(expanded):
        raise ValueError(
            f"allowed are file:///absolute/folder, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, not {expanded!r}"
        )
    return expanded


def refuse_no_address(path: str) -> None:
    """Raises ValueError for a path with `://` that is no address of a storage, and for one that was meant as an address."""
    _refuse_login(path)
    allowed = "allowed are a path below the storage's root, file:///folder, s3://bucket/folder, gs:// and az://"
    if path.startswith("/"):
        raise ValueError(f"{path!r}: {allowed}; a folder of this machine is file://{path}")
    if "://" in path:
        known = re.match(r"(file:///|(s3|gs|az)://)[^/]", path)
        if not known and (path.startswith(("file:", "s3:", "gs:", "az:")) or not _has_storage_of_its_own(path)):
            raise ValueError(f"{path!r}: {allowed}")
    elif re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", path):
        raise ValueError(f"{path!r}: {allowed}; an address has two slashes after its colon")


def _has_storage_of_its_own(uri: str) -> bool:
    """Whether another package has a kind of storage for the scheme (driftwatch.storage.kinds)."""
    return bool(entry_points(group="driftwatch.storages", name=uri.partition("://")[0]))


class StorageConfig(Section):
    """Where images and artifacts are stored."""

    expanded: ClassVar[frozenset[str]] = frozenset({"uri"})

    uri: Annotated[str, AfterValidator(_storage_uri)] = Field(
        description="The root of the storage: file:///folder, s3://bucket/prefix, gs://bucket/prefix (Google Cloud Storage) or az://container/prefix (Azure Blob Storage). `${NAME:-default}` is replaced by the environment variable."
    )
    connection: str | None = Field(
        None,
        description="The Airflow connection (of type aws for s3://, google_cloud_platform for gs://, wasb for az://) whose login opens the storage; null means the machine's own. A file:// storage has no login, and ignores it.",
    )
    forget_originals: bool = Field(
        False,
        description="Whether forgetting an image (docs/operate/forget.md) also deletes its file where the camera or the team left it (`incoming/`, `training/images/`). false: the files are named, and the team deletes them. Where `images.layout` leads nothing is deleted either way.",
    )
    keep: KeepConfig = Field(default_factory=KeepConfig)
