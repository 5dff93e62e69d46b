"""What is shown of monitors: the overview of all, one over time, and its models."""

from __future__ import annotations

import logging
import time
from typing import Any

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Request
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from driftwatch.view.days import Day, read_days, with_failures
from driftwatch.view.models import champion_or_problem, models, problems, retrainings
from driftwatch.view.overview import overview
from driftwatch.view.series import series
from driftwatch_airflow.ui import airflow_state, monitors, pages
from driftwatch_airflow.ui.access import Chosen, Refusals, Visible, require
from driftwatch_airflow.ui.monitors import Site

log = logging.getLogger(__name__)


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


def _days(site: Site, session: Session) -> list[Day]:
    """The monitor's days, failed where Airflow or the day's artifacts say so."""
    failed = airflow_state.failures(session, site.config)
    return with_failures(read_days(site.artifacts, site.layout), failed)


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
