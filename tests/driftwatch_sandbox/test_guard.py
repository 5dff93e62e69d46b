"""What an attacker without a login sends to the servers: large bodies, endless headers, slow bodies, broken JSON on every route."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute

from driftwatch_sandbox import guard
from driftwatch_sandbox.guard import Guard
from driftwatch_sandbox.private_files import write_private
from driftwatch_sandbox.serving import running
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_sandbox.whylabs.app import create_app as create_whylabs
from driftwatch_sandbox.whylabs.store import Settings as WhyLabsSettings

TOKEN, KEY = "AQAD-token", "abcdefghij.secret-part"


@pytest.fixture(scope="module")
def toloka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str]]:
    folder = tmp_path_factory.mktemp("toloka")
    write_private(folder / "people.json", '{"ana": "token-of-ana-1"}')
    app = create_app(Settings(folder / "t.db", TOKEN, crowd=False, people=folder / "people.json"))
    with running(app) as url:
        yield app, url


@pytest.fixture(scope="module")
def whylabs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, str]]:
    app = create_whylabs(str(tmp_path_factory.mktemp("w") / "w.db"), WhyLabsSettings(api_key=KEY))
    with running(app) as url:
        yield app, url


def connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def answer_of(connection: socket.socket) -> bytes:
    found = b""
    while part := connection.recv(65536):
        found += part
    return found


@pytest.mark.parametrize("path", ["/label/login", "/api/v1/projects", "/label/pools/1/page"])
def test_a_body_of_300_mb_is_refused_before_it_is_read(toloka, path):
    with connected(toloka[1]) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 300000000\r\n\r\n".encode())
        assert answer_of(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_its_size_is_cut_off_at_the_limit(toloka):
    def endless() -> Iterator[bytes]:
        for _ in range(300):
            yield b" " * 1_000_000

    with suppress(httpx.WriteError):  # the server broke the connection while the client went on sending
        assert httpx.post(f"{toloka[1]}/label/login", content=endless()).status_code == 413
    assert httpx.get(f"{toloka[1]}/healthz").status_code == 200


def test_a_login_of_64_kb_is_heard_and_one_byte_more_is_not(toloka):
    start, end = b'{"token": "', b'"}'
    for size, status in ((64 * 1024, 401), (64 * 1024 + 1, 413)):
        body = start + b"x" * (size - len(start) - len(end)) + end
        assert httpx.post(f"{toloka[1]}/label/login", content=body).status_code == status


def test_headers_without_an_end_and_idle_connections_are_broken_off(toloka, monkeypatch):
    monkeypatch.setattr(guard, "HEADERS_SECONDS", 0.3)
    for sent in (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /he"):
        with connected(toloka[1]) as connection:
            connection.sendall(sent)
            started = time.monotonic()
            with suppress(ConnectionResetError):
                answer_of(connection)
            assert time.monotonic() - started < 5


def test_headers_larger_than_64_kb_are_broken_off(toloka):
    with connected(toloka[1]) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\n" + b"X-Long: y\r\n" * 100_000)
            answer = answer_of(connection)
        except (ConnectionResetError, BrokenPipeError):
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 2")


def test_a_body_that_trickles_is_given_up_however_steadily(toloka, monkeypatch):
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.5)
    with connected(toloka[1]) as connection:
        connection.sendall(b"POST /label/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
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

    scope = {"type": "http", "path": "/", "headers": [], "sandbox.transport": Transport()}
    asyncio.run(asyncio.wait_for(Guard(app)(scope, None, never), 5))
    assert broken == [True]


def test_a_large_body_within_the_limit_arrives_whole():
    app = FastAPI()

    @app.post("/")
    async def size(request: Request) -> int:
        return len(await request.body())

    with running(app) as url:
        assert httpx.post(url, content=b"x" * 20_000_000).json() == 20_000_000


BROKEN = [
    b"{", b"\xff\xfe", b"[" * 200_000, b"9" * 5000, b"null", b"[]", b"1", b'"text"', b'{"a": NaN}', b"[null]", b"[[]]", b"{}",
    b'{"task_id": [], "output_values": []}', b'{"token": {"a": 1}}', b'{"token": "\\ud800"}', b'[{"pool_id": {}, "input_values": 1}]',
    b'{"id": {}, "fault": [], "times": {}}', b'{"pool_id": [], "user_id": {}, "answers": 3}',
]  # fmt: skip


@pytest.mark.parametrize("server", ["toloka", "whylabs"])
def test_no_route_answers_500_to_a_body_that_is_not_what_it_wants(request, server):
    app, url = request.getfixturevalue(server)
    headers = {"Authorization": f"OAuth {TOKEN}", "X-API-Key": KEY, "Content-Type": "application/json"}
    failed = []
    with httpx.Client(base_url=url, headers=headers, timeout=20) as client:
        if server == "toloka":
            session = client.post("/label/login", json={"token": "token-of-ana-1"}).cookies["driftwatch_label"]
            client.headers["Cookie"] = f"driftwatch_label={session}"
        writes = {
            (method, re.sub(r"\{[^}]*\}", "1000000", route.path))
            for route in app.routes
            if isinstance(route, APIRoute)
            for method in route.methods & {"POST", "PUT", "PATCH"}
        }
        assert len(writes) > 10
        for method, path in sorted(writes - {("POST", "/label/login"), ("POST", "/label/logout")}):
            for body in BROKEN:
                status = client.request(method, path, content=body).status_code
                if status >= 500:
                    failed.append((method, path, body[:60], status))
    assert not failed
