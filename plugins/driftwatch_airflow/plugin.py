"""Registers Driftwatch's links and pages with Airflow, which finds this class by the entry point `airflow.plugins`. Every Airflow process
imports it: keep it light."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from driftwatch_airflow.buttons import (
    CorrectionLink,
    DayReportLink,
    LabellingLink,
    LabelSpendLink,
    MonitorPageLink,
    WhyLabsProfileLink,
)
from driftwatch_airflow.paths import URL_PREFIX, pages_path
from driftwatch_airflow.timetable import LastDaysTimetable
from driftwatch_airflow.ui.lazy import lazy_app

PAGES = pages_path()


def _view(name: str, address: str, destination: str, route: str) -> dict[str, str]:
    return {
        "name": name,
        "href": f"{PAGES}{address}",
        "destination": destination,
        "url_route": route,
        "icon": f"{PAGES}/static/icon.svg",
    }


class DriftwatchPlugin(AirflowPlugin):
    """Operator links of the monitoring DAGs, and the monitor pages: in the navigation, and as a tab of each DAG and run."""

    name = "driftwatch"
    operator_extra_links = [  # noqa: RUF012 - Airflow's own form
        MonitorPageLink(),
        LabellingLink(),
        LabelSpendLink(),
        DayReportLink(),
        WhyLabsProfileLink(),
        CorrectionLink(),
    ]
    timetables = [LastDaysTimetable]  # noqa: RUF012
    fastapi_apps = [{"app": lazy_app, "url_prefix": URL_PREFIX, "name": "Driftwatch"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        _view("Driftwatch", "/", "nav", "driftwatch"),
        _view("Driftwatch", "/dag/{DAG_ID}", "dag", "driftwatch-monitor"),
        _view("Driftwatch", "/dag/{DAG_ID}/run/{RUN_ID}", "dag_run", "driftwatch-day"),
    ]
