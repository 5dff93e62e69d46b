"""What the routes share: the server's parts, and the small things every request needs."""

from __future__ import annotations

import hmac
import json
import threading
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import JSONResponse

from driftwatch_sandbox.faults import Fault, FaultBoard
from driftwatch_sandbox.toloka.errors import ApiError, field_error
from driftwatch_sandbox.toloka.exchange import OWNER, Exchange
from driftwatch_sandbox.toloka.money import Account
from driftwatch_sandbox.toloka.operations import Operations
from driftwatch_sandbox.toloka.search import search
from driftwatch_sandbox.toloka.store import Document, Store, public


@dataclass
class Sandbox:
    """The parts of one server."""

    store: Store
    account: Account
    exchange: Exchange
    operations: Operations
    faults: FaultBoard
    token: str
    wake: threading.Event


async def _json_body(request: Request) -> Any:
    """The request's JSON. An empty body is an empty list: the client sends it so."""
    raw = await request.body()
    if not raw:
        return []
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise field_error("body", "JSON_EXPECTED", f"not JSON: {error}") from error


async def _sandbox(request: Request) -> Sandbox:
    return request.app.state.sandbox


async def _fault(request: Request) -> Fault | None:
    return request.scope.get("sandbox.fault")


async def authorise(request: Request) -> None:
    """Accepts the schemes `OAuth` and `ApiKey`. Refuses an account that is not the token's own."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    known = hmac.compare_digest(token.encode(), request.app.state.sandbox.token.encode())
    if scheme not in ("OAuth", "ApiKey") or not known:
        raise ApiError(401, "AUTHENTICATION_ERROR", "the token is missing or not valid")
    account = request.headers.get("x-act-under-account-id")
    if account not in (None, OWNER["id"]):
        raise ApiError(403, "ACCESS_DENIED", f"no access to account {account}")


Body = Annotated[Any, Depends(_json_body)]
Box = Annotated[Sandbox, Depends(_sandbox)]
Injected = Annotated[Fault | None, Depends(_fault)]


def reply(content: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(content, status)


def shown(document: Document, status: int = 200) -> JSONResponse:
    return JSONResponse(public(document), status)


def listed(box: Sandbox, kind: str, request: Request, fault: Fault | None) -> JSONResponse:
    """A page of a collection, as the request's query asks. The fault list_lag hides the youngest objects."""
    return reply(search(box.store, kind, request.query_params, hide_younger_than=lag(fault)))


def lag(fault: Fault | None) -> float | None:
    """By how many seconds the fault list_lag makes a list late."""
    return fault.seconds if fault and fault.fault == "list_lag" else None


def fails(fault: Fault | None) -> bool:
    """Whether the operation that this request starts shall end as FAIL."""
    return fault is not None and fault.fault == "operation_fail"
