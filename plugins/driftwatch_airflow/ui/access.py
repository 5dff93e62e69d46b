"""Who may see what: Airflow's own login, and its permissions on the monitor's DAGs."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException, Request

from driftwatch.config import MonitorConfig
from driftwatch_airflow.ui.monitors import RefusedFile, Site, Sites


def may_see(user: GetUserDep, dag_id: str) -> bool:
    """Whether Airflow lets the user read the DAG."""
    details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
    return get_auth_manager().is_authorized_dag(method="GET", details=details, user=user)


def all_sites(request: Request) -> Sites:
    """The monitors that the application keeps. The user may not be allowed to see all of them."""
    found: Sites = request.app.state.sites
    return found


AllSites = Annotated[Sites, Depends(all_sites)]


def visible_sites(sites: AllSites, user: GetUserDep) -> list[Site]:
    """The monitors whose monitoring DAG the user may read."""
    return [site for site in sites.valid().values() if may_see(user, site.config.monitoring_dag_id)]


def visible_refusals(sites: AllSites, user: GetUserDep) -> list[RefusedFile]:
    """The refused monitor files, without those whose DAG the user may not read."""
    return [file for file in sites.refused() if may_see(user, file.dag_id)]


def monitor_site(monitor: str, sites: AllSites, user: GetUserDep) -> Site:
    """The monitor of that name. 404 if there is none; 403 if the user may not read its monitoring DAG."""
    site = sites.valid().get(monitor)
    if site is None:
        raise HTTPException(404, "There is no monitor of that name. If its file was refused, the overview says why.")
    require(user, site.config)
    return site


def require(user: GetUserDep, config: MonitorConfig, retraining: bool = False) -> None:
    """403 if the user may not read the monitor's DAG."""
    dag_id = config.retraining_dag_id if retraining and config.labels.labelled else config.monitoring_dag_id
    if not may_see(user, dag_id):
        raise HTTPException(
            403, f"Your Airflow role may not read the DAG {dag_id}. Ask whoever runs Airflow for a role that may."
        )


Refusals = Annotated[list[RefusedFile], Depends(visible_refusals)]
Visible = Annotated[list[Site], Depends(visible_sites)]
Chosen = Annotated[Site, Depends(monitor_site)]
