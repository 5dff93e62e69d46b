"""WhyLabs stand-ins with two datasets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest


@pytest.fixture(scope="module")
def servers(whylabs_servers: Callable[..., Any]) -> Callable[..., Any]:
    """Starts servers that last for the module, each with a new database."""
    return partial(whylabs_servers, datasets=("model-1", "model-2"))


@pytest.fixture
def server(servers: Callable[..., Any]) -> Any:
    return servers()
