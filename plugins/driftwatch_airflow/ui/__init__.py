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


async def lazy_app(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of the pages."""
    from driftwatch_airflow.ui.app import application

    await application()(scope, receive, send)
