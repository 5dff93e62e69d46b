"""Where a team leaves images, and a day of which a file there names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.elsewhere import store_of

from driftwatch.artifacts.store import DayStore
from driftwatch.storage import Storage, open_storage

from .files import DAY


@pytest.fixture
def cams(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/cams")


@pytest.fixture
def day(tmp_path, cams) -> Callable[..., DayStore]:
    """`day("lists/{day}.csv", paths=..., size="bytes")`"""

    def made(path: str, paths: str = "prod", **settings: Any) -> DayStore:
        layout = {
            "paths": f"{cams.uri}/{paths}",
            "inventory": {"path": f"{cams.uri}/{path}" if "://" not in path else path, **settings},
        }
        return store_of(open_storage(f"file://{tmp_path}/store"), layout, images={"max_reject_share": 1}).day(DAY)

    return made
