"""Scripted servers, and clients whose pauses are written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from driftwatch.http import Limits, Service, client_for

from .scripted import TOKEN, Scripted


@pytest.fixture
def serve() -> Iterator[Callable[..., Scripted]]:
    """`serve(answer, ...)` starts a server, which ends with the test."""
    with ExitStack() as stack:

        def start(*answers: bytes, context: Any = None) -> Scripted:
            server = Scripted(list(answers), context)
            stack.callback(server.end)
            return server

        yield start


@pytest.fixture
def connect(waits: list[float]) -> Iterator[Callable[..., Any]]:
    """`connect(url, retries=2, ...)`: a client whose pauses are written down in `waits` and not slept."""
    with ExitStack() as stack:

        def make(url: str, service: dict[str, Any] | None = None, **limits: Any) -> Any:
            told = Service("Acme", "the Acme connection", (TOKEN,), **(service or {}))
            limits = {"timeout": 5.0, "retries": 2, "sleep": waits.append, **limits}
            headers = {"Authorization": f"Bearer {TOKEN}"}
            return stack.enter_context(client_for(told, Limits(**limits), base_url=url, headers=headers))

        yield make


@pytest.fixture
def waits() -> list[float]:
    return []
