"""The seam at which Driftwatch touches the outside: every artifact written and every request sent passes through `touching`.

In production nobody watches. A test adds a watcher, learns from a faultless run which points there are, and then stops the
process at each of them, before or after its effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import ssl

Watcher = Callable[[Literal["before", "after"], str], None]
watchers: list[Watcher] = []


@contextmanager
def touching(what: str) -> Iterator[None]:
    """`what`: `<service> <verb> <target>`, like `storage write labels.parquet` or `toloka POST /api/v1/pools`."""
    for watch in watchers:
        watch("before", what)
    yield
    for watch in watchers:
        watch("after", what)


@cache
def certificates() -> ssl.SSLContext:
    """The certificates that HTTPS clients trust; reading them takes longer than a request does, so they share them."""
    import httpx

    return httpx.create_ssl_context()
