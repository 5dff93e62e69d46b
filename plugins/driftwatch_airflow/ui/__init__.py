"""The monitor pages in Airflow's UI.

Airflow loads the plugin file in every task process too, where importing FastAPI costs a second: the application is made at the
first request.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

URL_PREFIX = "/driftwatch"


def pages_path() -> str:
    """Where the pages lie on Airflow's own address, which may be served below a path."""
    from airflow.configuration import conf

    return urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/") + URL_PREFIX


def correction_page(monitor: str, day: str) -> str:
    """Where a correction of the day is published: a whole address where `api.base_url` is one, else its path on Airflow's own."""
    from airflow.configuration import conf

    base = str(conf.get("api", "base_url", fallback="") or "").rstrip("/")
    pages = base + URL_PREFIX if base.startswith(("http://", "https://")) else pages_path()
    return f"{pages}/m/{monitor}/days/{day}/#correction"


async def lazy_app(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of the pages."""
    from driftwatch_airflow.ui.app import application

    await application()(scope, receive, send)
