"""What is shown of monitors: the overview of all, one over time, and its models."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.sdk.timezone import utcnow
from fastapi import HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from driftwatch.config import MonitorConfig
from driftwatch.view import episodes
from driftwatch.view.answer_series import class_series
from driftwatch.view.changed_images import training_picture
from driftwatch.view.confusions import of_days
from driftwatch.view.days import Day, read_days, with_failures
from driftwatch.view.drift_words import feature_rows
from driftwatch.view.mlflow import mlflow_of
from driftwatch.view.model_page import models, problems
from driftwatch.view.models import champion_or_problem, retrainings, waited_for
from driftwatch.view.overview import FEW, LATELY, Overview, calendar, overview, worst_first
from driftwatch.view.segment_pages import MOST_DAYS, find_page
from driftwatch.view.series import series
from driftwatch.view.what_now import Known, WhatNow, look, of_known, of_monitor, with_whole
from driftwatch_airflow.alerts import safe_to_tell
from driftwatch_airflow.ui import airflow_state, monitors, pages
from driftwatch_airflow.ui.access import Chosen, Refusals, Visible, require
from driftwatch_airflow.ui.addresses import address
from driftwatch_airflow.ui.monitors import Site


@dataclass(frozen=True)
class _Read:
    """What the overview reads of a monitor: its `days` as they are stored, the champion's `version` and, if that cannot be read, the
    `problem`, and what the card needs."""

    days: list[Day]
    version: str | None
    problem: str | None
    known: Known | None


def _read_lately(site: Site) -> _Read:
    return _read_overview(site, LATELY)


def _read_overview(site: Site, newest: int | None = None) -> _Read:
    found, problem = champion_or_problem(site.artifacts)
    days = read_days(site.artifacts, newest, "brief")
    known = look(days, site.artifacts)
    return _Read(with_whole(days, known), found.version if found else None, problem, known)


def show_overview(request: Request, visible: Visible, refused: Refusals, session: SessionDep) -> Response:
    """One row for each monitor, the worst first. A monitor that cannot be shown does not hide the others."""
    rows: list[Overview] = []
    read, failed, deadline = [], [], time.monotonic() + monitors.PATIENCE
    read_all = _read_lately if len(visible) > FEW else _read_overview
    for site, asked in [(site, site.start_reading(read_all)) for site in visible]:
        try:
            read.append((site.config, site.has_read(asked, deadline)))
        except Exception as error:  # whatever a storage raises
            failed.append(_cannot_be_shown(site.config, error))
    told = airflow_state.failures_of_each(session, [config for config, _ in read], _first_day(read))
    for config, one in read:
        try:
            days = with_failures(one.days, told[config.name])
            now = of_known(days, one.known, config)
            rows.append(overview(days, config, one.version, one.problem, now, utcnow()))
        except Exception as error:  # what a damaged file holds
            failed.append(_cannot_be_shown(config, error))
    next_runs = airflow_state.next_runs(session, [row.config.monitoring_dag_id for row in rows])
    found = [(row, next_runs[row.config.monitoring_dag_id]) for row in worst_first(rows)]
    return HTMLResponse(pages.page(request, "overview.html.j2", rows=found, failed=failed, refused=refused, few=FEW))


def _first_day(read: Sequence[tuple[MonitorConfig, _Read]]) -> date | None:
    """The first day that any of the monitors shows; None where one has no day, of which Airflow alone may know."""
    return min((one.days[0].day for _, one in read), default=None) if all(one.days for _, one in read) else None


def _cannot_be_shown(config: MonitorConfig, error: Exception) -> tuple[str, str]:
    return config.name, safe_to_tell(f"{type(error).__name__}: {error}")


def _days(site: Site, session: Session) -> list[Day]:
    """The monitor's days. Airflow and the day's artifacts say which of them failed."""
    failed = airflow_state.failures(session, site.config)
    return with_failures(read_days(site.artifacts), failed)


def show_monitor(request: Request, site: Chosen, session: SessionDep) -> Response:
    """Features, distributions and performance over time; the charts ask for `series.json`."""
    days = _days(site, session)
    last = next((row for row in reversed(days) if row.drift), None)
    now = of_monitor(days, site.artifacts)
    return HTMLResponse(
        pages.page(
            request,
            "monitor.html.j2",
            site=site,
            days=days,
            next=airflow_state.next_runs(session, [site.config.monitoring_dag_id])[site.config.monitoring_dag_id],
            now=now,
            labelling=_labelling(session, site, now),
            calendar=calendar(days, site.config, utcnow()),
            features=feature_rows(last.drift) if last and last.drift else [],
            last=last,
            measured=any(row.performance for row in days),
            episodes=episodes.rows([row.episodes for row in days if row.episodes]),
        )
    )


def _labelling(session: Session, site: Site, now: WhatNow | None) -> str:
    """The address of the place where people label, as the newest run of the day has stored it; empty where nobody is sent there."""
    day = next((step.pool for step in now.steps if step.pool), None) if now else None
    if day is None:
        return ""
    runs = [run.run_id for run in airflow_state.runs_of_day(session, site.config, day)]
    return airflow_state.stored_links(session, site.config.monitoring_dag_id, runs).get("LabellingLink", "")


def show_segment(request: Request, site: Chosen, by: str, name: str, session: SessionDep) -> Response:
    """One segment over time: accuracy, labels, and images that were answered wrongly."""
    found = find_page(site.artifacts, _days(site, session), by, name)
    if found is None:
        raise HTTPException(
            404,
            f"No day of the last {MOST_DAYS} knows a segment {name} of {by}. The tables on a day's page name those that are there.",
        )
    base = address(request)
    return HTMLResponse(
        pages.page(request, "segment.html.j2", site=site, found=found, by=by, here=f"{base}/m/{site.config.name}")
    )


def give_series(site: Chosen, session: SessionDep) -> Response:
    """What the monitor's page draws. Made again when an artifact has changed."""
    pointer, _ = champion_or_problem(site.artifacts)
    known = (_days(site, session), retrainings(site.artifacts), pointer.version if pointer else None)
    held = site.drawn.get("series")
    if held is None or held[0] != known:
        held = (known, pages.as_json(series(known[0], site.config, *known[1:])))
        site.drawn["series"] = held
    return Response(held[1], media_type="application/json")


def give_class(site: Chosen, name: str, session: SessionDep) -> Response:
    """One class by day: precision, recall and F1, and how often the model answers it."""
    if name not in site.config.classes:
        raise HTTPException(404, f"The monitor has no class {name}.")
    return Response(pages.as_json(class_series(_days(site, session), name)), media_type="application/json")


def give_confusions(site: Chosen, first: date, last: date, model: str | None = None) -> Response:
    """What people said and what the model said on the days from `first` to `last`, as a table. `model`: only the days that it answered."""
    found = of_days(read_days(site.artifacts), site.config.classes, first, last, model)
    return Response(pages.as_json(found), media_type="application/json")


def show_models(request: Request, site: Chosen, user: GetUserDep, session: SessionDep) -> Response:
    """Versions, cards, gate tables, the way back, and the training set whose model is waited for."""
    require(user, site.config, retraining=True)
    return HTMLResponse(
        pages.page(
            request,
            "models.html.j2",
            site=site,
            models=models(site.artifacts),
            runs=airflow_state.retraining_pages(session, site.config),
            problems=problems(site.artifacts),
            waited_for=waited_for(site.artifacts),
            mlflow=mlflow_of(site.artifacts),
            rollback_text=lambda version: f"driftwatch champion rollback {site.config.name}.yaml --to {version}",
        )
    )


def give_training_image(site: Chosen, image_id: str, user: GetUserDep) -> Response:
    """A small picture of one of the original labelled images."""
    require(user, site.config, retraining=True)
    found = training_picture(site.artifacts, image_id)
    if found is None:
        raise HTTPException(404, "The training set has no such image.")
    return Response(found, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})
