"""What an attacker without a login sends to the servers: large bodies, endless headers, slow bodies."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from fastapi import FastAPI, Request

from driftwatch_servers import guard
from driftwatch_servers.guard import Guard
from driftwatch_servers.serving import running

SMALL = 64 * 2**10


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An application that takes 64 KB below /small, and as much as any elsewhere."""
    app = FastAPI()
    app.state.body_limits = {"/small/": SMALL}

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"

    @app.post("/{path:path}")
    async def size(request: Request) -> int:
        return len(await request.body())

    with running(app) as url:
        yield url


def connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def answer_of(connection: socket.socket) -> bytes:
    found = b""
    while part := connection.recv(65536):
        found += part
    return found


@pytest.mark.parametrize("path", ["/small/form", "/other"])
def test_a_body_of_300_mb_is_refused_before_it_is_read(server, path):
    with connected(server) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 300000000\r\n\r\n".encode())
        assert answer_of(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_its_size_is_cut_off_at_the_limit(server):
    def endless() -> Iterator[bytes]:
        for _ in range(300):
            yield b" " * 1_000_000

    with suppress(httpx.WriteError):  # the server broke the connection while the client went on sending
        assert httpx.post(f"{server}/small/form", content=endless()).status_code == 413
    assert httpx.get(f"{server}/healthz").status_code == 200


def test_a_body_of_the_limit_is_heard_and_one_byte_more_is_not(server):
    assert httpx.post(f"{server}/small/form", content=b"x" * SMALL).json() == SMALL
    assert httpx.post(f"{server}/small/form", content=b"x" * (SMALL + 1)).status_code == 413


def test_headers_without_an_end_and_idle_connections_are_broken_off(server, monkeypatch):
    monkeypatch.setattr(guard, "HEADERS_SECONDS", 0.3)
    for sent in (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /he"):
        with connected(server) as connection:
            connection.sendall(sent)
            started = time.monotonic()
            with suppress(ConnectionResetError):
                answer_of(connection)
            assert time.monotonic() - started < 5


def test_headers_larger_than_64_kb_are_broken_off(server):
    with connected(server) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\n" + b"X-Long: y\r\n" * 100_000)
            answer = answer_of(connection)
        except (ConnectionResetError, BrokenPipeError):
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 2")


def test_a_body_that_trickles_is_given_up_however_steadily(server, monkeypatch):
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.5)
    with connected(server) as connection:
        connection.sendall(b"POST /small/form HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(12):
            try:
                connection.sendall(b"{")
            except (ConnectionResetError, BrokenPipeError):
                break
            time.sleep(0.1)
        assert answer_of(connection).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_takes_no_answer_is_broken_off(monkeypatch):
    monkeypatch.setattr(guard, "SEND_SECONDS", 0.2)
    broken: list[bool] = []

    class Transport:
        def abort(self) -> None:
            broken.append(True)

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.body", "body": b"x"})

    async def never(message) -> None:
        await asyncio.sleep(60)

    scope = {"type": "http", "path": "/", "headers": [], guard.TRANSPORT: Transport()}
    asyncio.run(asyncio.wait_for(Guard(app)(scope, None, never), 5))
    assert broken == [True]


def test_a_large_body_within_the_limit_arrives_whole(server):
    assert httpx.post(f"{server}/other", content=b"x" * 20_000_000).json() == 20_000_000
