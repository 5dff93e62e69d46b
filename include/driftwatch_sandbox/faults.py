"""Faults on request: makes a stand-in fail as real services do, and records the requests that it got.

One `FaultBoard` belongs to one server. Tests add faults by `POST /_sandbox/faults`:

    {"method": "POST", "path_regex": "/v1/tasks", "fault": "error_after_commit", "times": 1}

| fault | what the client sees |
|---|---|
| error_before | a 500 (or `status` and `code`); the request had no effect |
| error_after_commit | the same, but the request took effect |
| drop_before, drop_after | the connection breaks without an answer, before or after the request took effect |
| slow | the request takes effect at once, the answer comes `seconds` later |
| rate_limit, unavailable | 429 or 503 with `Retry-After: seconds` |
| rate_limit_quota | 429 with `payload.interval` = MIN |
| html_502 | a proxy's HTML page instead of JSON |
| operation_fail, list_lag, close_pool, url_expired, url_refused | handled by the application, which finds the fault in `scope["sandbox.fault"]` |

`times`: how often it is applied (default 1; null means for ever). `method` may be left out. The oldest fault that matches is applied.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request

from driftwatch_servers.guard import TRANSPORT

FAULTS = frozenset(
    [
        "error_before",
        "error_after_commit",
        "drop_before",
        "drop_after",
        "slow",
        "rate_limit",
        "unavailable",
        "rate_limit_quota",
        "html_502",
        "operation_fail",
        "list_lag",
        "close_pool",
        "url_expired",
        "url_refused",
    ]
)
CONTROL_PATHS = ("/_sandbox/", "/healthz")
HTML_502 = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

ErrorBody = Callable[[str, str, dict[str, Any]], dict[str, Any]]


@dataclass
class Fault:
    """One planned failure. `close_pool`: the close reason that the fault of this name gives a pool."""

    fault: str
    path_regex: str = ".*"
    method: str | None = None
    times: int | None = 1
    seconds: float = 1.0
    close_pool: str = "MANUAL"
    status: int = 500
    code: str = "INTERNAL_ERROR"

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"fault: {self.fault!r} is not one of {', '.join(sorted(FAULTS))}")
        if self.times is not None and (not isinstance(self.times, int) or self.times < 1):
            raise ValueError(f"times: {self.times!r} is not a positive whole number or null")
        try:
            re.compile(self.path_regex)
        except (re.error, TypeError) as error:
            raise ValueError(f"path_regex: {self.path_regex!r} is not a regular expression: {error}") from error


class FaultBoard:
    """The faults that wait for a matching request, and the requests seen so far (the last 20,000)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.requests: deque[dict[str, Any]] = deque(maxlen=20_000)

    def add(self, **fields: Any) -> Fault:
        """Plans a fault. Raises ValueError or TypeError, which names the field, if the fault is not possible."""
        # `"fault": "close_pool", "close_pool": "EXPIRED"` and `"reason": "EXPIRED"` are both accepted.
        if "reason" in fields:
            fields["close_pool"] = fields.pop("reason")
        fault = Fault(**fields)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def planned(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def take(self, method: str, path: str) -> Fault | None:
        """The oldest fault that matches the request. It is used up by one."""
        with self._lock:
            for fault in self._faults:
                if fault.method not in (None, "*", method) or not re.search(fault.path_regex, path):
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                return fault
        return None


def plain_error_body(code: str, message: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Toloka's form of an error; other services pass a function of their own."""
    return {"request_id": str(uuid.uuid4()), "code": code, "message": message, "payload": payload}


class FaultMiddleware:
    """ASGI middleware that records every request and applies the board's faults."""

    def __init__(self, app: Any, board: FaultBoard, error_body: ErrorBody = plain_error_body) -> None:
        self.app = app
        self.board = board
        self.error_body = error_body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PATHS):
            await self.app(scope, receive, send)
            return
        fault = self.board.take(scope["method"], scope["path"])
        record: dict[str, Any] = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "status": None,
            "fault": fault.fault if fault else None,
        }
        self.board.requests.append(record)

        async def recorded_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                record["status"] = message["status"]
            await send(message)

        if fault is None:
            await self.app(scope, receive, recorded_send)
        else:
            scope["sandbox.fault"] = fault
            await self._apply(fault, scope, receive, recorded_send)

    async def _apply(self, fault: Fault, scope: Any, receive: Any, send: Any) -> None:
        kind = fault.fault
        if kind in ("error_after_commit", "drop_after"):
            await self.app(scope, receive, _discard)
        if kind in ("error_before", "error_after_commit"):
            await self._error(send, fault.status, fault.code, f"injected fault {kind}", {})
        elif kind in ("drop_before", "drop_after"):
            await _drop(scope, receive)
        elif kind in ("rate_limit", "unavailable"):
            header = (b"retry-after", str(max(1, round(fault.seconds))).encode())
            status, code = (429, "TOO_MANY_REQUESTS") if kind == "rate_limit" else (503, "UNAVAILABLE")
            await self._error(send, status, code, "injected rate limit", {}, header)
        elif kind == "rate_limit_quota":
            await self._error(send, 429, "TOO_MANY_REQUESTS", "injected quota", {"interval": "MIN"})
        elif kind == "html_502":
            await _reply(send, 502, HTML_502, b"text/html")
        elif kind == "slow":
            await self.app(scope, receive, _delayed(send, fault.seconds))
        else:
            await self.app(scope, receive, send)

    async def _error(self, send: Any, status: int, code: str, message: str, payload: dict, *headers: Any) -> None:
        body = json.dumps(self.error_body(code, message, payload)).encode()
        await _reply(send, status, body, b"application/json", *headers)


async def _discard(message: Any) -> None:
    """Is used in place of `send` if the answer must not reach the client."""


def _delayed(send: Any, seconds: float) -> Any:
    async def wait_then_send(message: Any) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return wait_then_send


async def _reply(send: Any, status: int, body: bytes, content_type: bytes, *headers: Any) -> None:
    length = str(len(body)).encode()
    base = [(b"content-type", content_type), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": [*base, *headers]})
    await send({"type": "http.response.body", "body": body})


async def _drop(scope: Any, receive: Any) -> None:
    """Breaks the TCP connection; `driftwatch_servers.serving` puts its transport into the scope."""
    transport = scope.get(TRANSPORT)
    if transport is None:
        raise RuntimeError("drop faults need a server started by driftwatch_servers.serving")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def control_router(board: FaultBoard) -> APIRouter:
    """`/_sandbox/faults` and `/_sandbox/requests`; the application adds its own authorisation."""
    router = APIRouter(prefix="/_sandbox")

    @router.post("/faults", status_code=201)
    async def add_fault(request: Request) -> Any:
        try:
            return asdict(board.add(**await request.json()))
        except (TypeError, ValueError, RecursionError) as error:
            raise HTTPException(400, str(error)) from error

    @router.get("/faults")
    async def get_faults() -> Any:
        return board.planned()

    @router.delete("/faults", status_code=204)
    async def delete_faults() -> None:
        board.clear()

    @router.get("/requests")
    async def get_requests() -> Any:
        return list(board.requests)

    @router.delete("/requests", status_code=204)
    async def delete_requests() -> None:
        board.requests.clear()

    return router
