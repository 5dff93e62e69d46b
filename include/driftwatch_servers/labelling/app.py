"""The labelling page, and the requests of its script. A person logs in with a token. A cookie that no script can read keeps the session.

Browsers send the cookie only over HTTPS or to their own machine (127.0.0.1). To serve other machines, put a proxy with TLS in front.
A body must say that it is JSON: a form of another web site cannot do that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, JsonValue
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response

from driftwatch_servers.labelling.people import People, TokenList
from driftwatch_servers.labelling.sessions import HOURS, Guesses, Sessions, SessionStore
from driftwatch_servers.labelling.source import Page, Pool, Progress, Refused, TakenBack, TaskSource, Work
from driftwatch_servers.same_origin import SameOrigin

STATIC = Path(__file__).parent / "static"
_SCRIPTS = ("label.js", "choices.js", "keys.js", "picture.js", "plain.js")
FILES = {"index.html": "text/html", "label.css": "text/css", **dict.fromkeys(_SCRIPTS, "text/javascript")}
COOKIE = "driftwatch_label"
LARGEST_BODY = 64 * 2**10  # bytes; an answer is much smaller
# Images may come from any address, as the project's links say. Instructions are HTML of the project, and run no scripts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src http: https:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
router = APIRouter()


class Login(BaseModel):
    token: str


class Given(BaseModel):
    """One answer."""

    task_id: str
    output_values: dict[str, JsonValue]


class Pools(BaseModel):
    pools: Sequence[Pool]


class NextPage(BaseModel):
    page: Page | None


class Undone(BaseModel):
    taken_back: TakenBack | None


@dataclass(frozen=True)
class _Desk:
    """What the routes share."""

    source: TaskSource
    people: People
    sessions: Sessions
    guesses: Guesses = field(default_factory=Guesses)


def create_app(source: TaskSource, people: People | Mapping[str, str], sessions: SessionStore) -> FastAPI:
    """The application for one source. Another application may mount it at any path. `people`: who may enter, or tokens by name."""
    who = TokenList(people) if isinstance(people, Mapping) else people
    app = FastAPI(title="Driftwatch labelling", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = _Desk(source, who, Sessions(sessions))
    app.state.body_limits = {"/": LARGEST_BODY}
    app.add_exception_handler(Refused, _refused)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _wrong_body)  # type: ignore[arg-type]
    app.add_middleware(SameOrigin)
    app.include_router(router)
    return app


def _said(status: int, message: str) -> JSONResponse:
    return JSONResponse({"message": message}, status)


def _refused(_: Request, error: Refused) -> JSONResponse:
    return _said(error.status, str(error))


def _http_error(_: Request, error: HTTPException) -> JSONResponse:
    return _said(error.status_code, error.detail)


def _wrong_body(_: Request, error: RequestValidationError) -> JSONResponse:
    problems = (f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
    return _said(400, "; ".join(problems))


def _desk(request: Request) -> _Desk:
    return request.app.state.desk


Served = Annotated[_Desk, Depends(_desk)]


def _person(request: Request, desk: Served) -> str:
    name = desk.sessions.name(request.cookies.get(COOKIE, ""))
    if name is None or not desk.people.may_enter(name):  # who was taken off the list may still have a session
        raise Refused(401, "you are not logged in: log in with your token")
    return name


Seat = Annotated[str, Depends(_person)]


def _file(name: str) -> Response:
    if name not in FILES:
        raise Refused(404, f"there is no file {name!r}")
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return FileResponse(STATIC / name, media_type=FILES[name], headers=headers)


@router.get("/")
def index() -> Response:
    return _file("index.html")


@router.get("/static/{name}")
def static(name: str) -> Response:
    return _file(name)


def _cookie_path(request: Request) -> str:
    """The path at which the application is mounted."""
    return request.scope.get("root_path") or "/"


@router.post("/login")
def login(request: Request, desk: Served, body: Login) -> Response:
    address = request.client.host if request.client else "unknown"
    wait = math.ceil(desk.guesses.wait(address))
    if wait:
        message = f"too many wrong tokens: try again in {wait} s"
        return JSONResponse({"message": message}, 429, headers={"Retry-After": str(wait)})
    name = desk.people.owner(body.token.strip())
    if name is None:
        desk.guesses.wrong(address)
        raise Refused(401, "nobody has this token: see whether you copied all of it, or ask whoever gave it to you")
    answer = JSONResponse({"name": name})
    answer.set_cookie(
        COOKIE,
        desk.sessions.open(name),
        max_age=HOURS * 3600,
        secure=True,
        httponly=True,
        samesite="strict",
        path=_cookie_path(request),
    )
    return answer


@router.post("/logout")
def logout(request: Request, desk: Served) -> Response:
    desk.sessions.close(request.cookies.get(COOKIE, ""))
    answer = JSONResponse({})
    answer.delete_cookie(COOKIE, path=_cookie_path(request), secure=True, httponly=True, samesite="strict")
    return answer


@router.get("/pools")
def pools(desk: Served, person: Seat) -> Pools:
    return Pools(pools=desk.source.pools(person))


@router.post("/pools/{pool_id}/page")
def page(desk: Served, person: Seat, pool_id: str) -> NextPage:
    return NextPage(page=desk.source.page(person, pool_id))


@router.post("/pages/{page_id}/answers")
def answer(desk: Served, person: Seat, page_id: str, body: Given) -> Progress:
    return desk.source.answer(person, page_id, body.task_id, body.output_values)


@router.post("/pools/{pool_id}/undo")
def undo(desk: Served, person: Seat, pool_id: str) -> Undone:
    return Undone(taken_back=desk.source.undo(person, pool_id))


@router.get("/pools/{pool_id}/work")
def work(desk: Served, person: Seat, pool_id: str) -> Work:
    return desk.source.work(person, pool_id)


@router.post("/pages/{page_id}/skip")
def skip(desk: Served, person: Seat, page_id: str) -> dict[str, str]:
    desk.source.skip(person, page_id)
    return {}
