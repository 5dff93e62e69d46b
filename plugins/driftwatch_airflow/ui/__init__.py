"""The monitor pages in Airflow's UI.

Airflow loads the plugin file in every task process too, where importing FastAPI costs a second: the application is made at the
first request.
"""

from __future__ import annotations

from typing import Any

URL_PREFIX = "/driftwatch"


async def lazy_app(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of the pages."""
    from driftwatch_airflow.ui.app import application

    await application()(scope, receive, send)
