"""What is shown of one day: its page, its report, a feature's distribution, a small picture."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from airflow.api_fastapi.common.db.common import SessionDep
from fastapi import Depends, HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from driftwatch.artifacts.days import DAYS
from driftwatch.artifacts.failure import Failure
from driftwatch.errors import DamagedArtifact, MissingArtifact
from driftwatch.view.days import Day, read_days, with_failures
from driftwatch.view.distribution import distribution
from driftwatch.view.thumbnails import thumbnail_of
from driftwatch.view.what_now import of_day
from driftwatch_airflow.ui import airflow_state, pages
from driftwatch_airflow.ui.access import Chosen
from driftwatch_airflow.ui.airflow_state import DayInAirflow
from driftwatch_airflow.ui.leads import day_or_409
from driftwatch_airflow.ui.monitors import Site

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
_IMAGE_ID = re.compile(r"[0-9a-f]{64}")


def day_of(day: str) -> date:
    """The day of an address. 404 for what is none."""
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise HTTPException(404, "A day is written as YYYY-MM-DD.") from error
    if found.isoformat() != day:
        raise HTTPException(404, "A day is written as YYYY-MM-DD.")
    if not DAYS[0] <= found <= DAYS[1]:
        raise HTTPException(404, f"Days from {DAYS[0]} to {DAYS[1]} can be shown.")
    return found


DayDep = Annotated[date, Depends(day_of)]


def _id(image_id: str) -> str:
    """404 for what is no id of an image."""
    if not _IMAGE_ID.fullmatch(image_id):
        raise HTTPException(404, "An image id is a SHA-256 in 64 hexadecimal digits.")
    return image_id


IdDep = Annotated[str, Depends(_id)]


def show_day(request: Request, site: Chosen, day: DayDep, session: SessionDep, run: str = "") -> Response:
    """The day's report with its links. `run`: the run that the reader comes from; the page says why that run is about this day."""
    runs = airflow_state.runs_of_day(session, site.config, day)
    known = DayInAirflow(
        runs=runs,
        links=airflow_state.stored_links(session, site.config.monitoring_dag_id, [found.run_id for found in runs]),
        failure=_failure(site, session, day),
        about=day_or_409(session, site, run) if run else None,
    )
    names = site.artifacts.store.days()
    try:
        return HTMLResponse(pages.day(request, site, day, names, known))
    except MissingArtifact as error:
        if day not in names and not known.runs and known.failure is None:
            raise HTTPException(
                404,
                f"Nothing is stored of {day}: no run has handled the day yet. Trigger the monitor's DAG with this `day`.",
            ) from error
        config = site.config
        now = of_day(Day(day, failure=known.failure, labelled=config.labels.labelled), None, config)
        facts = {"runs": known.runs, "now": now, "missing": str(error), "about": known.about}
        return HTMLResponse(pages.page(request, "empty_day.html.j2", site=site, day=day, **facts), 404)


def _failure(site: Site, session: Session, day: date) -> Failure | None:
    """Where the day failed. If the note of the failure cannot be read, the day's page says so: it reads the note too."""
    known = airflow_state.failures(session, site.config).get(day)
    try:
        failure = site.artifacts.find(site.artifacts.keys.day(day).failure, Failure)
    except DamagedArtifact:
        failure = None
    kept = Day(day, failure=failure)
    return with_failures([kept], {} if known is None else {day: known})[0].failure


def give_report(site: Chosen, day: DayDep) -> Response:
    """The day's report.html, the file that can be sent on."""
    try:
        html = site.artifacts.storage.read_bytes(site.artifacts.keys.day(day).report)
    except MissingArtifact as error:
        raise HTTPException(
            404, f"There is no report of {day}: it is not written yet, or storage.keep has removed it."
        ) from error
    return HTMLResponse(html, headers={"Content-Security-Policy": REPORT_POLICY})


def give_image(site: Chosen, day: DayDep, image_id: IdDep) -> Response:
    """A small picture of one of the day's images."""
    found = thumbnail_of(site.tables, site.tables.store.day(day), image_id)
    if found is None:
        hidden = ", or labels.blur lets nobody see it" if site.config.labels.blur else ""
        raise HTTPException(404, f"{day} has no such image{hidden}.")
    return Response(found, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


def give_distribution(site: Chosen, day: DayDep, feature: str) -> Response:
    """A feature's distribution on a day against the images that the day was tested with."""
    row = next((row for row in read_days(site.artifacts) if row.day == day), None)
    drift = row.drift if row is not None else None
    version = drift.reference_version if drift else row.version if row is not None else None
    state, baseline = (drift.nearest, drift.baseline_days) if drift else (None, ())
    found = distribution(site.tables, day, feature, version, state, baseline)
    if found is None:
        raise HTTPException(404, "This feature's values are not stored for this day.")
    return Response(pages.as_json(found), media_type="application/json")
