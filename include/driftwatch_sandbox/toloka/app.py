"""Puts the server together."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from driftwatch_sandbox.faults import Fault, FaultBoard, FaultMiddleware, control_router
from driftwatch_sandbox.toloka import (
    TOKEN_VARIABLE,
    routes_analytics,
    routes_assignments,
    routes_pages,
    routes_pools,
    routes_projects,
    routes_sandbox,
    routes_tasks,
    routes_users,
)
from driftwatch_sandbox.toloka.context import Sandbox, authorise
from driftwatch_sandbox.toloka.crowd import Crowd
from driftwatch_sandbox.toloka.desk import Desk, DeskSessions
from driftwatch_sandbox.toloka.engine import Engine
from driftwatch_sandbox.toloka.errors import ApiError, validation
from driftwatch_sandbox.toloka.exchange import Exchange
from driftwatch_sandbox.toloka.money import Account
from driftwatch_sandbox.toloka.operations import Operations
from driftwatch_sandbox.toloka.sight import Eyes, Truth
from driftwatch_sandbox.toloka.store import Store
from driftwatch_servers.labelling import app as labelling
from driftwatch_servers.labelling.people import read_people

LABELLING = "/label"  # the path of the page where people label
_ROUTES = (routes_projects, routes_pools, routes_tasks, routes_assignments, routes_users, routes_analytics)


@dataclass(frozen=True)
class Settings:
    """One server.

    database: SQLite file; made if it is missing.
    token: what clients authorise with.
    balance: dollars on the account of a new database. A database that is there keeps its balance.
    crowd: whether simulated workers answer open pools.
    truth: CSV file `image_id,label`, which only the crowd knows.
    crowd_speed: how many seconds of the crowd pass in one second.
    seed: chooses the workers and their answers.
    resolve_images: whether workers fetch the images. If not, the image id is the last part of the URL's path, without its suffix.
    operation_seconds: how long an operation stays RUNNING.
    people: JSON file `{name: token}` of the people who may label at /label/. None: there is no such page.
    """

    database: Path
    token: str
    balance: float = 1000.0
    crowd: bool = True
    truth: Path | None = None
    crowd_speed: float = 60.0
    seed: int = 7
    resolve_images: bool = True
    operation_seconds: float = 0.2
    people: Path | None = None


def create_app(settings: Settings) -> FastAPI:
    """The server's application. Its background thread runs from start to stop."""
    if not settings.token:
        raise ValueError(f"{TOKEN_VARIABLE} is empty: clients need a token")
    if settings.crowd_speed <= 0:
        raise ValueError(f"--crowd-speed {settings.crowd_speed}: a positive number is needed")
    people = read_people(settings.people) if settings.people else {}
    board = FaultBoard()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with _at_work(settings, board, people) as (box, desk):
            app.state.sandbox = box
            if desk:
                app.mount(LABELLING, labelling.create_app(desk, people, DeskSessions(box.store)))
            yield

    app = FastAPI(title="Toloka sandbox", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.body_limits = {f"{LABELLING}/": labelling.LARGEST_BODY}
    app.add_middleware(FaultMiddleware, board=board)
    app.add_exception_handler(ApiError, _api_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _query_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]
    app.add_exception_handler(Exception, _crash)
    _add_routes(app, board)
    return app


def _add_routes(app: FastAPI, board: FaultBoard) -> None:
    guarded = [Depends(authorise), Depends(_close_pool_fault)]
    for module in _ROUTES:
        app.include_router(module.router, prefix="/api", dependencies=guarded)
    app.include_router(routes_sandbox.router, dependencies=[Depends(authorise)])
    app.include_router(control_router(board), dependencies=[Depends(authorise)])
    app.include_router(routes_pages.router)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}


@contextmanager
def _at_work(settings: Settings, board: FaultBoard, people: Mapping[str, str]) -> Iterator[tuple[Sandbox, Desk | None]]:
    """The server's parts while its background thread runs, and the desk where people may label."""
    store = Store(str(settings.database))
    account = Account(store, settings.balance)
    exchange = Exchange(store, account)
    wake = threading.Event()
    operations = Operations(store, settings.operation_seconds, wake.set)
    box = Sandbox(store, account, exchange, operations, board, settings.token, wake)
    for module in (routes_projects, routes_pools, routes_tasks, routes_analytics):
        module.register(box)
    eyes = Eyes(settings.resolve_images)
    speed = settings.crowd_speed
    crowd = Crowd(exchange, Truth(settings.truth), eyes, settings.seed, speed) if settings.crowd else None
    desk = Desk(box, people) if people else None
    engine = Engine(box, crowd, desk, speed)
    engine.start()
    try:
        yield box, desk
    finally:
        engine.stop()
        eyes.close()
        store.close()


def _close_pool_fault(request: Request) -> None:
    """The fault close_pool: before the request, closes the pool that the path names, or all open pools."""
    fault: Fault | None = request.scope.get("sandbox.fault")
    if fault is None or fault.fault != "close_pool":
        return
    exchange = request.app.state.sandbox.exchange
    open_ids = [pool["id"] for pool in exchange.open_pools()]
    named = [pool_id for pool_id in open_ids if pool_id in request.url.path.split("/")]
    for pool_id in named or open_ids:
        exchange.close_pool(pool_id, fault.close_pool)


def _api_error(_: Request, error: ApiError) -> JSONResponse:
    return JSONResponse(error.body(), error.status)


def _query_error(request: Request, error: RequestValidationError) -> JSONResponse:
    problems = {str(part["loc"][-1]): {"code": "INVALID_VALUE", "message": part["msg"]} for part in error.errors()}
    return _api_error(request, validation(problems))


def _http_error(request: Request, error: HTTPException) -> JSONResponse:
    codes = {400: "VALIDATION_ERROR", 404: "DOES_NOT_EXIST"}
    code = codes.get(error.status_code, "INAPPROPRIATE_STATUS")
    message = f"{request.method} {request.url.path}: {error.detail}"
    return _api_error(request, ApiError(error.status_code, code, message))


def _crash(request: Request, error: Exception) -> JSONResponse:
    # Starlette logs the traceback; the client gets Toloka's form of a 500.
    return _api_error(request, ApiError(500, "INTERNAL_ERROR", f"{type(error).__name__}: {error}"))
