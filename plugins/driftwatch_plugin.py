"""Registers Driftwatch's links with Airflow. The only file of this folder that Airflow executes (see .airflowignore)."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from driftwatch_airflow.links import DayReportLink, TolokaPoolLink


class DriftwatchPlugin(AirflowPlugin):
    """Operator links of the monitoring DAGs."""

    name = "driftwatch"
    operator_extra_links = [TolokaPoolLink(), DayReportLink()]  # noqa: RUF012 - Airflow's own form
