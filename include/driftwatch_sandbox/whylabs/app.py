"""The application: authorisation, error bodies, health, and the routers."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from driftwatch_sandbox.faults import FaultBoard, FaultMiddleware, control_router
from driftwatch_sandbox.whylabs import monitors, reading, sandbox, uploads
from driftwatch_sandbox.whylabs.analysis import Analyst
from driftwatch_sandbox.whylabs.days import Days
from driftwatch_sandbox.whylabs.errors import ApiError, error_body
from driftwatch_sandbox.whylabs.store import Settings, Store

_OPEN_PATHS = ("/healthz", "/upload/")  # an upload URL needs no key, like a presigned one


def create_app(database: str, settings: Settings) -> FastAPI:
    """The stand-in on one SQLite file. The file is made if it is missing, and stays when the server stops."""
    store = Store(database)
    days = Days(store, settings)
    analyst = Analyst(store, settings, days)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # To import whylogs takes about a second; it happens before the server says that it is ready.
        await asyncio.to_thread(days.warm_up)
        async with analyst.at_work():
            yield
        store.close()

    app = FastAPI(title="WhyLabs stand-in", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.store, app.state.settings, app.state.days = store, settings, days
    app.state.analyst = analyst

    _add_answers(app, settings)
    board = FaultBoard()
    for router in (uploads.router, reading.router, monitors.router, sandbox.router, control_router(board)):
        app.include_router(router)
    app.add_middleware(FaultMiddleware, board=board, error_body=error_body)
    return app


def _add_answers(app: FastAPI, settings: Settings) -> None:
    """Adds authorisation, the service's form of errors, and the health check."""

    @app.middleware("http")
    async def authorise(request: Request, call_next: Any) -> Any:
        refused = None if request.url.path.startswith(_OPEN_PATHS) else _refusal(request, settings)
        return _answer(refused) if refused else await call_next(request)

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> JSONResponse:
        return _answer(error)

    @app.exception_handler(RequestValidationError)
    async def bad_request(request: Request, error: RequestValidationError) -> JSONResponse:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        return JSONResponse(error_body("ConversionErrorException", problems, {}), 400)

    @app.exception_handler(404)
    async def no_route(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse(error_body("NotFound", f"no route {request.method} {request.url.path}", {}), 404)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}


def _refusal(request: Request, settings: Settings) -> ApiError | None:
    given = request.headers.get("x-api-key", "")
    # A key may end in :org-id, which names the organisation that the caller means.
    if not hmac.compare_digest(given.split(":")[0].encode(), settings.api_key.split(":")[0].encode()):
        return ApiError(401, "Unauthorized", "X-API-Key is missing or unknown")
    parts = request.url.path.split("/")
    for before, organisation in pairwise(parts):
        if before in ("organizations", "notification-settings") and organisation != settings.organisation:
            return ApiError(403, "Forbidden", f"this key does not belong to organization {organisation}")
    if ":" in given and given.split(":")[1] != settings.organisation:
        return ApiError(403, "Forbidden", f"this key does not belong to organization {given.split(':')[1]}")
    return None


def _answer(error: ApiError) -> JSONResponse:
    return JSONResponse(error.body(), error.status)
