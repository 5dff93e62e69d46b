"""Applications served over real HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from driftwatch_servers.serving import running, serve


def test_it_serves_while_the_block_runs_and_no_longer() -> None:
    app = FastAPI()

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    with running(app) as url:
        assert httpx.get(f"{url}/healthz").json() == "ok"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


def test_a_taken_port_is_an_error_and_not_another_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve(FastAPI(), "127.0.0.1", taken.getsockname()[1])


@asynccontextmanager
async def no_database(app: FastAPI) -> AsyncIterator[None]:
    raise OSError("no database")
    yield


def test_a_process_whose_application_does_not_start_never_says_that_it_listens_and_fails() -> None:
    script = f"import runpy; here = runpy.run_path({__file__!r}); here['serve'](here['FastAPI'](lifespan=here['no_database']), '127.0.0.1', 0)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert "no database" in ended.stderr
