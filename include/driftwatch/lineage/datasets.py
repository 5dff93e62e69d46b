"""Datasets as OpenLineage names them, and those among a storage's objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftwatch.storage import Storage


@dataclass(frozen=True)
class Check:
    """A verdict on a dataset. `about`: the column that it is about; None for the whole. `expected` and `actual`: what was asked for, and
    what was found."""

    name: str
    passed: bool
    about: str | None = None
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True)
class Dataset:
    """One dataset. `namespace` and `name`: by OpenLineage's naming, such as `s3://bucket` and `prefix/key`. `rows`, `bytes` and `files` are
    None where nobody knows them.

    `columns`: of a table that a step judges, the quantiles of each column, by level (0.05, …).
    """

    namespace: str
    name: str
    rows: int | None = None
    bytes: int | None = None
    files: int | None = None
    checks: tuple[Check, ...] = ()
    columns: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Lineage:
    """What a step read, and what it wrote."""

    inputs: tuple[Dataset, ...] = ()
    outputs: tuple[Dataset, ...] = ()


def place_of(address: str) -> tuple[str, str]:
    """Namespace and name of what lies at an address: `file` and the path, or scheme with bucket and the key."""
    scheme, _, rest = address.partition("://")
    if scheme == "file":
        return scheme, rest
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", key


def objects(storage: Storage, *keys: str) -> tuple[Dataset, ...]:
    """Those of the stored objects that there are. A parquet table has its rows."""
    sizes = {key: storage.size(key) for key in keys}
    return tuple(_object(storage, key, size) for key, size in sizes.items() if size is not None)


def folder(storage: Storage, key: str, rows: int | None = None, files: int | None = None) -> Dataset:
    """A whole folder, which is not looked into."""
    return Dataset(*place_of(storage.url(key)), rows=rows, files=files)


def _object(storage: Storage, key: str, size: int) -> Dataset:
    from driftwatch.storage.tables import rows_of

    rows = rows_of(storage, key, size) if key.endswith(".parquet") else None
    return Dataset(*place_of(storage.url(key)), rows=rows, bytes=size)
