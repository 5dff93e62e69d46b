"""What somebody sends to the stand-ins who does not know their protocols: broken JSON on every route."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_sandbox.whylabs.app import create_app as create_whylabs
from driftwatch_sandbox.whylabs.store import Settings as WhyLabsSettings
from driftwatch_servers.serving import running

from ..broken_bodies import BROKEN

TOKEN, KEY = "AQAD-token", "abcdefghij.secret-part"


@pytest.fixture(scope="module")
def toloka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str]]:
    app = create_app(Settings(tmp_path_factory.mktemp("toloka") / "t.db", TOKEN, crowd=False))
    with running(app) as url:
        yield app, url


@pytest.fixture(scope="module")
def whylabs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str]]:
    app = create_whylabs(str(tmp_path_factory.mktemp("w") / "w.db"), WhyLabsSettings(api_key=KEY))
    with running(app) as url:
        yield app, url


@pytest.mark.parametrize("server", ["toloka", "whylabs"])
def test_no_route_answers_500_to_a_body_that_is_not_what_it_wants(request, server):
    app, url = request.getfixturevalue(server)
    headers = {"Authorization": f"OAuth {TOKEN}", "X-API-Key": KEY, "Content-Type": "application/json"}
    failed = []
    with httpx.Client(base_url=url, headers=headers, timeout=20) as client:
        writes = {
            (method, re.sub(r"\{[^}]*\}", "1000000", route.path))
            for route in app.routes
            if isinstance(route, APIRoute)
            for method in route.methods & {"POST", "PUT", "PATCH"}
        }
        assert len(writes) > 10
        for method, path in sorted(writes):
            for body in BROKEN:
                status = client.request(method, path, content=body).status_code
                if status >= 500:
                    failed.append((method, path, body[:60], status))
    assert not failed
