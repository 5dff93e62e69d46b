"""WhyLabs stand-ins served over real HTTP, and whylogs' own writer pointed at one."""

from __future__ import annotations

import pytest

from driftwatch_sandbox.whylabs.app import create_app
from driftwatch_sandbox.whylabs.store import Settings
from driftwatch_servers.serving import running

from .client import KEY, Server


@pytest.fixture
def serve(tmp_path):
    """Starts servers over one database file; each ends with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(**settings: object) -> Server:
            app = create_app(str(tmp_path / "whylabs.db"), Settings(api_key=KEY, **settings))
            server = Server(stack.enter_context(running(app)))
            stack.enter_context(server.http)  # open connections would hold up the server's end
            return server

        yield start


@pytest.fixture
def server(serve) -> Server:
    return serve()


@pytest.fixture
def writer(server, monkeypatch):
    """whylogs' own writer, pointed at the server as a user would: by environment variables."""
    for name in ("WHYLABS_PRIVATE_API_ENDPOINT", "WHYLABS_API_KEY", "WHYLABS_DEFAULT_ORG_ID", "WHYLOGS_CONFIG_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WHYLABS_API_ENDPOINT", server.url)
    from whylogs.api.whylabs.session import session_manager
    from whylogs.api.whylabs.session.whylabs_client_cache import WhylabsClientCache
    from whylogs.api.writer.whylabs import WhyLabsWriter

    session_manager.SessionManager.reset()
    WhylabsClientCache.reset()
    yield lambda: WhyLabsWriter(org_id="org-1", api_key=f"{KEY}:org-1", dataset_id="model-1")
    session_manager.SessionManager.reset()
