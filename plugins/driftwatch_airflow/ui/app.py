"""The application of the monitor pages: read-only, behind Airflow's login, served below /driftwatch."""

from __future__ import annotations

import logging
import re
import time
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from driftwatch.artifacts.failure import Failure, read_failure
from driftwatch.artifacts.keys import DAYS
from driftwatch.errors import DamagedArtifact, DriftwatchError, MissingArtifact, NeedsAttention
from driftwatch.view.days import Day, read_days, with_failures
from driftwatch.view.distribution import distribution
from driftwatch.view.models import champion_or_problem, models, problems, retrainings
from driftwatch.view.overview import overview
from driftwatch.view.series import series
from driftwatch.view.thumbnails import thumbnail_of
from driftwatch_airflow.run_days import RunDay
from driftwatch_airflow.ui import URL_PREFIX, airflow_state, monitors, pages
from driftwatch_airflow.ui.access import Chosen, Refusals, Visible, may_see, require
from driftwatch_airflow.ui.monitors import Site, sites

log = logging.getLogger(__name__)
STATIC = Path(__file__).parent / "static"
_FILES = {
    "driftwatch.css": "text/css",
    "driftwatch.js": "text/javascript",
    "charts.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "uplot/uPlot.iife.min.js": "text/javascript",
    "uplot/uPlot.min.css": "text/css",
}
# Airflow shows the pages in a frame of its own origin; nobody else may.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


@lru_cache(maxsize=1)
def application() -> FastAPI:
    """The application, made once a process."""
    app = FastAPI(title="Driftwatch", docs_url=None, redoc_url=None, openapi_url=None)
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
    """An error as a page, as JSON for the charts."""
    status = error.status_code if isinstance(error, StarletteHTTPException) else 400
    text = str(error.detail) if isinstance(error, StarletteHTTPException) else "The address has a value that cannot be."
    if request.url.path.endswith(".json"):
        return JSONResponse({"detail": text}, status)
    return HTMLResponse(pages.error(request, status, text), status)


async def _unreadable(request: Request, error: Exception) -> Response:
    """An artifact or a storage that cannot be read; the error names it."""
    if request.url.path.endswith(".json"):
        return JSONResponse({"detail": str(error)}, 503)
    return HTMLResponse(pages.error(request, 503, str(error)), 503)


async def _crashed(request: Request, error: Exception) -> Response:
    # Starlette logs the traceback after this answer.
    text = f"{type(error).__name__}: {error}"
    response: Response = HTMLResponse(pages.error(request, 500, text), 500)
    if request.url.path.endswith(".json"):
        response = JSONResponse({"detail": text}, 500)
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _day(day: str) -> date:
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise HTTPException(404, "A day is written as YYYY-MM-DD.") from error
    if found.isoformat() != day:
        raise HTTPException(404, "A day is written as YYYY-MM-DD.")
    if not DAYS[0] <= found <= DAYS[1]:
        raise HTTPException(404, f"Days from {DAYS[0]} to {DAYS[1]} can be shown.")
    return found


DayDep = Annotated[date, Depends(_day)]


def _days(site: Site, session: Session) -> list[Day]:
    """The monitor's days, failed where Airflow or the day's artifacts say so."""
    failed = airflow_state.failures(session, site.config)
    return with_failures(read_days(site.artifacts, site.layout), failed)


def _failure(site: Site, session: Session, day: date) -> Failure | None:
    """Where the day failed. A note of it that cannot be read is named on the day's page, which reads it too."""
    known = airflow_state.failures(session, site.config).get(day)
    try:
        failure = site.artifacts.get(site.layout.day(day).failure, read_failure)
    except DamagedArtifact:
        failure = None
    kept = Day(day, None, None, None, None, failure=failure)
    return with_failures([kept], {} if known is None else {day: known})[0].failure


def _read_overview(site: Site) -> tuple[list[Day], str | None, str | None]:
    """The days as they are stored, the champion's version, and why it cannot be read."""
    found, problem = champion_or_problem(site.artifacts, site.layout)
    return read_days(site.artifacts, site.layout), found.get("version"), problem


def show_overview(request: Request, visible: Visible, refused: Refusals, session: SessionDep) -> Response:
    """One row for each monitor, and its days as a calendar of verdicts. What cannot be shown of one leaves the others alone."""
    rows, failed, deadline = [], [], time.monotonic() + monitors.PATIENCE
    for site, asked in [(site, site.start_reading(_read_overview)) for site in visible]:
        try:
            stored, version, problem = site.has_read(asked, deadline)
            days = with_failures(stored, airflow_state.failures(session, site.config))
            row = {**overview(days, site.config, version), "problem": problem}
        except Exception as error:  # whatever a storage raises
            failed.append((site.config.name, f"{type(error).__name__}: {error}"))
            continue
        rows.append({**row, "next": airflow_state.next_run(session, site.config.monitoring_dag_id)})

    def draw(rows: list[Any], also: list[tuple[str, str]]) -> str:
        return pages.render(request, "overview.html.j2", rows=rows, failed=[*failed, *also], refused=refused)

    return HTMLResponse(pages.each_alone(draw, rows, lambda row: row["config"].name))


def show_monitor(request: Request, site: Chosen, session: SessionDep) -> Response:
    """Features, distributions and performance over time; the charts ask for `series.json`."""
    days = _days(site, session)
    last = next((row for row in reversed(days) if row.drift), None)
    return HTMLResponse(
        pages.render(
            request,
            "monitor.html.j2",
            site=site,
            days=days,
            features=pages.feature_list(last),
            last=last,
            measured=any(row.performance for row in days),
        )
    )


def _series(site: Site, days: list[Day], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The series of the days; a day that cannot be drawn stands there as one that cannot be read."""
    try:
        return series(days, site.config, runs)
    except Exception:  # told of the days that it is about
        return series([_drawable(day, site) for day in days], site.config, runs)


def _drawable(day: Day, site: Site) -> Day:
    try:
        series([day], site.config)
    except Exception as error:
        log.warning("%s of %s cannot be drawn", day.day, site.config.name, exc_info=True)
        problem = f"cannot be drawn: {type(error).__name__}: {error}"
        return Day(day.day, None, None, None, None, problems=(problem,))
    return day


def give_series(site: Chosen, session: SessionDep) -> Response:
    """What the monitor's page draws; made anew when an artifact has changed."""
    known = (_days(site, session), retrainings(site.artifacts, site.layout))
    held = site.drawn.get("series")
    if held is None or held[0] != known:
        held = (known, pages.as_json(_series(site, *known)))
        site.drawn["series"] = held
    return Response(held[1], media_type="application/json")


def give_distribution(site: Chosen, day: DayDep, feature: str) -> Response:
    """A feature's distribution on a day against the reference that the day was tested with."""
    keys = site.layout.day(day)
    row = next((row for row in read_days(site.artifacts, site.layout) if row.day == day), None)
    version = ((row.drift or {}).get("reference_version") or (row.ingest or {}).get("model_version")) if row else None
    found = distribution(site.tables, site.layout, keys, feature, version)
    if found is None:
        raise HTTPException(404, "This feature's values of the day are not stored.")
    return Response(pages.as_json(found), media_type="application/json")


def show_day(request: Request, site: Chosen, day: DayDep, session: SessionDep, run: str = "") -> Response:
    """The day's report with its links; where the reader comes from a `run`, why that is of this day."""
    dag_id = site.config.monitoring_dag_id
    runs = airflow_state.runs_of_day(session, site.config, day)
    about = _about(session, site, run) if run else None
    links = airflow_state.stored_links(session, dag_id, [run["run_id"] for run in runs])
    names = site.layout.stored_days(site.artifacts.storage)
    failure = _failure(site, session, day)
    try:
        return HTMLResponse(pages.day(request, site, day, names, runs, links, failure, about))
    except MissingArtifact as error:
        if day not in names and not runs and failure is None:
            raise HTTPException(404, f"Nothing is stored of {day}: the day was not run yet.") from error
        facts = {"runs": runs, "failure": failure, "missing": str(error), "about": about}
        return HTMLResponse(
            pages.render(request, "empty_day.html.j2", site=site, day=day, **facts),
            404,
        )


def _about(session: Any, site: Site, run_id: str) -> RunDay | None:
    """The day of a run, and why; 409 for a run that is of no day."""
    try:
        return airflow_state.about_run(session, site.config, run_id)
    except NeedsAttention as error:
        raise HTTPException(409, f"Run {run_id} handles no day: {error}.") from error


def give_report(site: Chosen, day: DayDep) -> Response:
    """The day's report.html, the file that can be sent on."""
    try:
        html = site.artifacts.storage.read_bytes(site.layout.day(day).report)
    except MissingArtifact as error:
        raise HTTPException(404, f"There is no report of {day} yet.") from error
    return HTMLResponse(html, headers={"Content-Security-Policy": REPORT_POLICY})


def give_image(site: Chosen, day: DayDep, image_id: str) -> Response:
    """A small picture of one of the day's images."""
    if not _IMAGE_ID.fullmatch(image_id):
        raise HTTPException(404, "An image id is a sha256 in hex.")
    found = thumbnail_of(site.tables, site.layout.day(day), image_id)
    if found is None:
        raise HTTPException(404, f"{day} has no such image.")
    return Response(found, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


def show_models(request: Request, site: Chosen, user: GetUserDep) -> Response:
    """Versions, cards, gate tables, and the way back."""
    require(user, site.config, retraining=True)
    found, unreadable = models(site.artifacts, site.layout), problems(site.artifacts, site.layout)

    def draw(rows: list[Any], also: list[tuple[str, str]]) -> str:
        return pages.render(
            request,
            "models.html.j2",
            site=site,
            models=rows,
            problems=[*unreadable, *(f"{name}: {problem}" for name, problem in also)],
            rollback_text=lambda version: f"driftwatch champion rollback {site.config.name}.yaml --to {version}",
        )

    return HTMLResponse(pages.each_alone(draw, found, lambda row: str(row["version"])))


def lead_from_dag(dag_id: str, user: GetUserDep) -> Response:
    """From a DAG's page in Airflow to its monitor's."""
    for site in sites().values():
        if dag_id in (site.config.monitoring_dag_id, site.config.retraining_dag_id) and may_see(user, dag_id):
            page = "models" if dag_id == site.config.retraining_dag_id else ""
            return RedirectResponse(f"{URL_PREFIX}/m/{site.config.name}/{page}")
    raise HTTPException(404, "No monitor belongs to this DAG: only the DAGs of monitor files have one.")


def lead_from_run(dag_id: str, run_id: str, user: GetUserDep, session: SessionDep) -> Response:
    """From a run's page in Airflow to its day's."""
    for site in sites().values():
        if dag_id == site.config.monitoring_dag_id and may_see(user, dag_id):
            about = _about(session, site, run_id)
            if about is not None:
                page = f"{URL_PREFIX}/m/{quote(site.config.name)}/days/{about.day}/"
                return RedirectResponse(f"{page}?run={quote(run_id, safe='')}")
    return lead_from_dag(dag_id, user)


def give_file(name: str, user: GetUserDep) -> Response:
    """Style, script and the chart library."""
    if name == "report.css":
        return FileResponse(pages.REPORT_CSS, media_type="text/css")
    if name not in _FILES:
        raise HTTPException(404, "There is no such file.")
    headers = {"Cache-Control": "private, max-age=86400" if name.startswith("uplot/") else "no-cache"}
    return FileResponse(STATIC / name, media_type=_FILES[name], headers=headers)


_ROUTES: dict[str, Any] = {
    "/": show_overview,
    "/m/{monitor}/": show_monitor,
    "/m/{monitor}/series.json": give_series,
    "/m/{monitor}/models": show_models,
    "/m/{monitor}/days/{day}/": show_day,
    "/m/{monitor}/days/{day}/distribution.json": give_distribution,
    "/m/{monitor}/days/{day}/report.html": give_report,
    "/m/{monitor}/days/{day}/images/{image_id}.jpg": give_image,
    "/dag/{dag_id}": lead_from_dag,
    "/dag/{dag_id}/run/{run_id}": lead_from_run,
    "/static/{name:path}": give_file,
}
