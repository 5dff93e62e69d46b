"""Addresses on Airflow's own web server: the monitor pages, and the pages of DAGs and runs."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

URL_PREFIX = "/driftwatch"
WATCH_DAG_ID = "driftwatch_watch"


def web_address() -> str:
    """`api.base_url` without a slash at its end. Empty if it is not a whole address: then no message can have a link to it."""
    base = _base_url()
    return base if base.startswith(("http://", "https://")) else ""


def pages_path() -> str:
    """The path of the monitor pages on Airflow's web server. Airflow itself may be served below a path."""
    return urlsplit(_base_url()).path.rstrip("/") + URL_PREFIX


def correction_page(monitor: str, day: str) -> str:
    """The address of the form that publishes a correction of the day. Only its path if `api.base_url` is not a whole address."""
    base = web_address()
    return f"{base + URL_PREFIX if base else pages_path()}/m/{monitor}/days/{day}/#correction"


def dag_path(dag_id: str) -> str:
    """The DAG's page, below Airflow's own address."""
    return f"/dags/{quote(dag_id, safe='')}"


def run_path(dag_id: str, run_id: str) -> str:
    """The run's page, below Airflow's own address."""
    return f"{dag_path(dag_id)}/runs/{quote(run_id, safe='')}"


def _base_url() -> str:
    from airflow.configuration import conf

    return str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
