"""The labelling page of a site, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from driftwatch_servers.serving import running

from .day import TOKENS, Site
from .pages import Open
from .visitor import Visitor


@pytest.fixture
def at(browser: Any) -> Iterator[Open]:
    """Opens the page of a site for somebody who then logs in."""
    with ExitStack() as stack:
        served: dict[int, str] = {}

        def opened(site: Site, name: str = "ana", **context: Any) -> Visitor:
            if id(site) not in served:
                served[id(site)] = stack.enter_context(running(site.app()))
                site.day.images = f"{served[id(site)]}/images"
            visitor = Visitor(browser, f"{served[id(site)]}/label/", **context)
            stack.callback(visitor.close)
            visitor.log_in(TOKENS[name])
            return visitor

        yield opened
