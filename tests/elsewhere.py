"""A team's own place of images, which nobody may write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.stores import SMALLEST

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from driftwatch.storage.kinds import storage_kind


def read_only(uri: str, login: Any = None) -> Storage:
    """A storage that fails the test where anything is written, copied or removed."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError(f"{uri} was to be changed, and images elsewhere are only read")

    changes = ("_write", "_writing", "_remove", "replace", "copy", "write_bytes", "writing", "delete", "delete_all")
    kind = type("ReadOnly", (storage_kind(uri),), dict.fromkeys(changes, refuse))
    return kind(uri.partition("://")[2], login)


def store_of(
    own: Storage, layout: dict[str, Any], elsewhere: Callable[[str], Storage] | None = None, **settings: Any
) -> MonitorStore:
    """A monitor whose images lie as `layout` says."""
    images = {"layout": layout, **settings.pop("images", {})}
    config = {**SMALLEST, "name": "cats", "storage": {"uri": own.uri}, "images": images, **settings}
    opened = elsewhere or read_only
    return MonitorStore(own, MonitorConfig.model_validate(config), elsewhere=opened)
