"""The ways from Airflow's own pages to those of Driftwatch: from a DAG to its monitor, from a run to its day."""

from __future__ import annotations

from urllib.parse import quote

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import HTTPException, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.paths import WATCH_DAG_ID
from driftwatch_airflow.run_days import RunDay
from driftwatch_airflow.ui import airflow_state
from driftwatch_airflow.ui.access import AllSites, may_see
from driftwatch_airflow.ui.addresses import address
from driftwatch_airflow.ui.monitors import Site


def lead_from_dag(request: Request, dag_id: str, sites: AllSites, user: GetUserDep) -> Response:
    """From a DAG's page in Airflow to its monitor's; from that of the watch, which looks at all monitors, to the overview."""
    if dag_id == WATCH_DAG_ID:
        return RedirectResponse(f"{address(request)}/")
    for site in sites.valid().values():
        config = site.config
        dags = (config.monitoring_dag_id, config.retraining_dag_id, config.reference_dag_id, config.forget_dag_id)
        if dag_id in dags and may_see(user, dag_id):
            page = "models" if dag_id == site.config.retraining_dag_id else ""
            return RedirectResponse(f"{address(request)}/m/{site.config.name}/{page}")
    raise HTTPException(404, "No monitor belongs to this DAG: only the DAGs of monitor files have one.")


def lead_from_run(
    request: Request, dag_id: str, run_id: str, sites: AllSites, user: GetUserDep, session: SessionDep
) -> Response:
    """From a run's page in Airflow to its day's."""
    for site in sites.valid().values():
        if dag_id == site.config.monitoring_dag_id and may_see(user, dag_id):
            about = day_or_409(session, site, run_id)
            if about is not None:
                page = f"{address(request)}/m/{quote(site.config.name)}/days/{about.day}/"
                return RedirectResponse(f"{page}?run={quote(run_id, safe='')}")
    return lead_from_dag(request, dag_id, sites, user)


def day_or_409(session: Session, site: Site, run_id: str) -> RunDay | None:
    """The day of a run, and why. 409 for a run that is about no day."""
    try:
        return airflow_state.day_of_run_id(session, site.config, run_id)
    except NeedsAttention as error:
        raise HTTPException(409, f"Run {run_id} handles no day: {error}.") from error
