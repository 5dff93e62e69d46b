"""How the file is named that a write goes to before it is renamed. A write that was killed leaves it."""

from __future__ import annotations

import re
import uuid

_ASIDE = re.compile(r"(?:^|(?<=/))\.([^/]+)\.[0-9a-f]{32}\.tmp$")


def aside_of(name: str) -> str:
    """The name of a file beside `name`, another one each time."""
    return f".{name}.{uuid.uuid4().hex}.tmp"


def is_aside(key: str) -> bool:
    """Whether a write goes or went to the file at `key`."""
    return _ASIDE.search(key) is not None


def target_of(key: str) -> str:
    """The key of the object that the file at `key` was to become; any other key as it is."""
    return _ASIDE.sub(r"\1", key)
