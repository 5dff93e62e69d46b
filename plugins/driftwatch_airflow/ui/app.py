"""The application of the monitor pages: read-only, behind Airflow's login, served below /driftwatch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from driftwatch.errors import DriftwatchError
from driftwatch_airflow.alerts import safe_to_tell
from driftwatch_airflow.ui import pages
from driftwatch_airflow.ui.day_routes import give_distribution, give_image, give_report, show_day
from driftwatch_airflow.ui.evidence_routes import (
    give_large,
    give_map,
    give_original,
    show_image,
    show_map,
    show_pairs,
    show_people,
)
from driftwatch_airflow.ui.leads import lead_from_dag, lead_from_run
from driftwatch_airflow.ui.metrics import give_metrics
from driftwatch_airflow.ui.monitor_routes import (
    give_class,
    give_confusions,
    give_series,
    give_training_image,
    show_models,
    show_monitor,
    show_overview,
    show_segment,
)
from driftwatch_airflow.ui.monitors import Sites
from driftwatch_airflow.ui.static_files import give_file

# Airflow shows the pages in a frame of its own origin; nobody else may.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)


@lru_cache(maxsize=1)
def application() -> FastAPI:
    """The application. Each process makes it once."""
    app = FastAPI(title="Driftwatch", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.sites = Sites()
    app.middleware("http")(_headers)
    for kind in (StarletteHTTPException, RequestValidationError):
        app.add_exception_handler(kind, _refused)
    app.add_exception_handler(DriftwatchError, _unreadable)
    app.add_exception_handler(Exception, _crashed)
    for path, route in _ROUTES.items():
        app.get(path, response_model=None)(route)
    return app


async def _headers(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


async def _refused(request: Request, error: Exception) -> Response:
    """An error as a page, or as JSON for the charts."""
    if isinstance(error, StarletteHTTPException):
        status, text = error.status_code, str(error.detail)
    else:
        names = [str(one["loc"][-1]) for one in error.errors()] if isinstance(error, RequestValidationError) else []
        status = 400
        text = f"The address lacks a value that is needed, or has one that is not allowed: {', '.join(names)}."
    if request.url.path.endswith(".json"):
        return JSONResponse({"detail": text}, status)
    return HTMLResponse(pages.error(request, status, text), status)


async def _unreadable(request: Request, error: Exception) -> Response:
    """An artifact or a storage that cannot be read; the error names it."""
    text = safe_to_tell(str(error))
    if request.url.path.endswith(".json"):
        return JSONResponse({"detail": text}, 503)
    return HTMLResponse(pages.error(request, 503, text), 503)


async def _crashed(request: Request, error: Exception) -> Response:
    # Starlette logs the traceback after this answer.
    text = safe_to_tell(f"{type(error).__name__}: {error}")
    response: Response = HTMLResponse(pages.error(request, 500, text), 500)
    if request.url.path.endswith(".json"):
        response = JSONResponse({"detail": text}, 500)
    response.headers["Content-Security-Policy"] = POLICY
    return response


_ROUTES: dict[str, Callable[..., Response]] = {
    "/": show_overview,
    "/m/{monitor}/": show_monitor,
    "/m/{monitor}/series.json": give_series,
    "/m/{monitor}/confusions.json": give_confusions,
    "/m/{monitor}/class.json": give_class,
    "/m/{monitor}/models": show_models,
    "/m/{monitor}/training/{image_id}.jpg": give_training_image,
    "/m/{monitor}/segments/{by}/{name:path}": show_segment,
    "/m/{monitor}/days/{day}/": show_day,
    "/m/{monitor}/days/{day}/distribution.json": give_distribution,
    "/m/{monitor}/days/{day}/report.html": give_report,
    "/m/{monitor}/days/{day}/images/{image_id}.jpg": give_image,
    "/m/{monitor}/days/{day}/evidence": show_pairs,
    "/m/{monitor}/days/{day}/people": show_people,
    "/m/{monitor}/days/{day}/map": show_map,
    "/m/{monitor}/days/{day}/map.json": give_map,
    "/m/{monitor}/images/{place}/{image_id}/": show_image,
    "/m/{monitor}/images/{place}/{image_id}/view.jpg": give_large,
    "/m/{monitor}/images/{place}/{image_id}/original": give_original,
    "/metrics": give_metrics,
    "/dag/{dag_id}": lead_from_dag,
    "/dag/{dag_id}/run/{run_id}": lead_from_run,
    "/static/{name:path}": give_file,
}
