"""What every server here refuses before its application sees it: bodies that are too large, and clients that are too slow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from starlette.exceptions import HTTPException
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_BODY = 64 * 2**20  # bytes; tasks of a large day and profiles fit in well
LARGEST_HEADERS = 64 * 2**10  # bytes
HEADERS_SECONDS = 20.0  # from the connection, or a request's first byte, to the end of its headers
BODY_SECONDS = 60.0  # for the whole body
SEND_SECONDS = 60.0  # for the client to take one piece of the answer
TRANSPORT = "driftwatch.transport"  # where an ASGI scope holds the connection's transport


class Guard:
    """ASGI middleware: it stands between server and application. `limits`: the largest body, in bytes, by the beginning of the path;
    LARGEST_BODY on all others."""

    def __init__(self, app: Any, limits: Mapping[str, int] | None = None) -> None:
        self.app, self.limits = app, limits or {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = next((size for path, size in self.limits.items() if scope["path"].startswith(path)), LARGEST_BODY)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced[:20]) > limit:
            await _refuse(send, limit)
            return
        body = _Body(receive, limit)
        await self.app(scope, body.receive, _patient(scope, send, body))


async def _refuse(send: Any, limit: int) -> None:
    body = json.dumps({"code": "TOO_LARGE", "message": _too_large(limit)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": [*headers, (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body})


def _too_large(limit: int) -> str:
    return f"the request's body is larger than the {limit} bytes that are allowed here: send less at once"


class _Body:
    """A request's body. It is refused if it is larger than the limit, or comes too slowly."""

    def __init__(self, receive: Any, limit: int) -> None:
        self._receive, self._limit = receive, limit
        self._received = 0
        self._deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        self._one_reader = asyncio.Lock()
        self.whole = False

    async def receive(self) -> Any:
        async with self._one_reader:
            if not self.whole:
                return await self._next_part()
        return await self._receive()  # waits for the client to go

    async def drain(self) -> None:
        """Reads the rest of the body and forgets it. The client then hears the answer, and not a broken connection."""
        with suppress(HTTPException):
            while not self.whole:
                await self.receive()

    async def _next_part(self) -> Any:
        left = self._deadline - asyncio.get_running_loop().time()
        try:
            message = await asyncio.wait_for(self._receive(), max(left, 0.001))
        except asyncio.TimeoutError as error:
            raise HTTPException(
                408, f"the request's body did not come within {BODY_SECONDS:.0f} s: send it again, or less at once"
            ) from error
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            raise HTTPException(413, _too_large(self._limit))
        self.whole = not message.get("more_body")
        return message


def _patient(scope: Any, send: Any, body: _Body) -> Any:
    """A `send` that breaks the connection if the client takes nothing. A request that was refused in the middle of its body cannot use
    the connection again."""

    async def send_part(message: Any) -> None:
        if message["type"] == "http.response.start" and not body.whole:
            if message["status"] not in (408, 413):
                await body.drain()
            if not body.whole:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        try:
            await asyncio.wait_for(send(message), SEND_SECONDS)
        except asyncio.TimeoutError:
            scope[TRANSPORT].abort()

    return send_part


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's own protocol waits for headers without an end. This one breaks the connection when they take too long or are too large.

    It also hands the connection's transport to the application, so that the application can break the connection.
    """

    _deadline: asyncio.TimerHandle | None = None
    _heading = 0  # bytes of headers that have no end yet

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        app: Any = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope[TRANSPORT] = transport
            await app(scope, receive, send)

        self.app = with_transport
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._heading = self._heading + len(data) if self._deadline else 0
        if self._heading > LARGEST_HEADERS:
            self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_headers()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def _await_headers(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEADERS_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
