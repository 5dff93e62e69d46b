"""The labelling page and what its script asks. A person logs in by a token; a cookie that no script can read keeps the session.

The cookie goes over HTTPS alone, or to this machine itself (browsers take 127.0.0.1 for safe): others need a proxy with TLS.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import FileResponse, JSONResponse, Response

from driftwatch_sandbox.toloka.context import Body
from driftwatch_sandbox.toloka.errors import ApiError, not_found
from driftwatch_sandbox.toloka.labelling.desk import Desk
from driftwatch_sandbox.toloka.labelling.sessions import HOURS
from driftwatch_sandbox.toloka.workers import Worker

STATIC = Path(__file__).parent / "static"
FILES = {"index.html": "text/html", "label.css": "text/css", "label.js": "text/javascript"}
COOKIE = "driftwatch_label"
# Images come from wherever the project's links lead; instructions are HTML of the project and are shown without scripts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src http: https:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
router = APIRouter(prefix="/label")


def _desk(request: Request) -> Desk:
    return request.app.state.desk


def _person(request: Request) -> Worker:
    found = _desk(request).person(request.cookies.get(COOKIE, ""))
    if found is None:
        raise ApiError(401, "AUTHENTICATION_ERROR", "log in with your token")
    return found


Seat = Annotated[Worker, Depends(_person)]
Served = Annotated[Desk, Depends(_desk)]


def _file(name: str) -> Response:
    if name not in FILES:
        raise not_found("file", name)
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return FileResponse(STATIC / name, media_type=FILES[name], headers=headers)


@router.get("/")
def index() -> Response:
    return _file("index.html")


@router.get("/static/{name}")
def static(name: str) -> Response:
    return _file(name)


@router.post("/login")
def login(request: Request, desk: Served, body: Body) -> Response:
    address = request.client.host if request.client else "unknown"
    wait = math.ceil(desk.guesses.wait(address))
    if wait:
        said = ApiError(429, "TOO_MANY_REQUESTS", f"too many wrong tokens: try again in {wait} s")
        return JSONResponse(said.body(), 429, headers={"Retry-After": str(wait)})
    name = desk.owner(str(body.get("token", "")).strip() if isinstance(body, dict) else "")
    if name is None:
        desk.guesses.wrong(address)
        raise ApiError(401, "AUTHENTICATION_ERROR", "this token is nobody's")
    answer = JSONResponse({"name": name})
    answer.set_cookie(
        COOKIE,
        desk.sessions.open(name),
        max_age=HOURS * 3600,
        secure=True,
        httponly=True,
        samesite="strict",
        path="/label",
    )
    return answer


@router.post("/logout")
def logout(request: Request, desk: Served) -> Response:
    desk.sessions.close(request.cookies.get(COOKIE, ""))
    answer = JSONResponse({})
    answer.delete_cookie(COOKIE, path="/label", secure=True, httponly=True, samesite="strict")
    return answer


@router.get("/pools")
def pools(desk: Served, person: Seat) -> Any:
    return {"pools": desk.pools(person)}


@router.post("/pools/{pool_id}/page")
def page(desk: Served, person: Seat, pool_id: str) -> Any:
    return {"page": desk.page(person, pool_id)}


@router.post("/pages/{page_id}/answers")
def answer(desk: Served, person: Seat, page_id: str, body: Body) -> Any:
    given = body if isinstance(body, dict) else {}
    return desk.answer(person, page_id, str(given.get("task_id")), given.get("output_values", {}))


@router.post("/pages/{page_id}/undo")
def undo(desk: Served, person: Seat, page_id: str) -> Any:
    return {"task_id": desk.undo(person, page_id)}


@router.post("/pages/{page_id}/skip")
def skip(desk: Served, person: Seat, page_id: str) -> Any:
    desk.skip(person, page_id)
    return {}
