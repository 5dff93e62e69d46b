"""The application: one model under both protocols, with faults on request."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from driftwatch_sandbox.faults import FaultBoard, FaultMiddleware, control_router
from driftwatch_sandbox.model_server import tensorflow, v2
from driftwatch_sandbox.model_server.model import ServedModel


def create_app(model: ServedModel, token: str = "") -> FastAPI:
    """Requests without `Authorization: Bearer <token>` are refused where there is a token."""
    app = FastAPI(title="Model server stand-in", docs_url=None, redoc_url=None, openapi_url=None)
    board = FaultBoard()
    for router in (v2.router_of(model), tensorflow.router_of(model), control_router(board)):
        app.include_router(router)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code)

    @app.middleware("http")
    async def authorise(request: Request, call_next: Any) -> Any:
        if token and request.headers.get("authorization") != f"Bearer {token}":
            return JSONResponse({"error": "Unauthorized"}, 401)
        return await call_next(request)

    app.add_middleware(FaultMiddleware, board=board, error_body=_error_body)
    return app


def _error_body(code: str, message: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"error": f"{code}: {message}"}
