"""What the tests of all artifacts look at: a file is read, nothing in it is unknown, and it is written again to the byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from driftwatch.artifacts import base
from driftwatch.storage import Storage
from driftwatch.storage.formats import json_bytes


def unknown_fields(found: Any, path: str = "") -> Iterator[str]:
    """The fields of a file that no model names."""
    if isinstance(found, BaseModel):
        yield from (f"{path}.{name}" for name in found.model_extra or {})
        for name in type(found).model_fields:
            yield from unknown_fields(getattr(found, name), f"{path}.{name}")
    elif isinstance(found, dict):
        for name, part in found.items():
            yield from unknown_fields(part, f"{path}.{name}")
    elif isinstance(found, tuple):
        for part in found:
            yield from unknown_fields(part, f"{path}[]")


def read_whole(storage: Storage, key: str, kind: type[base.A]) -> base.A:
    """The artifact at `key`, having checked that its model knows all of it and writes it again to the byte."""
    data = storage.read_bytes(key)
    found = base.read(storage, key, kind)
    assert sorted(set(unknown_fields(found))) == []
    again = found.stored()
    assert again.pop("schema_version") == kind.VERSION
    before = json.loads(data)
    version = before.pop("schema_version", 1)
    before = kind.upgraded(before, version)
    assert json_bytes(again) == json_bytes(before)
    if "schema_version" not in json.loads(data) and kind.VERSION == 1:
        assert json_bytes(again) == data
    return found
