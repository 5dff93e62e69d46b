"""The pages' application, made at the first request. Airflow loads the plugin file in every task too, and FastAPI would cost a second
there."""

from __future__ import annotations

from typing import Any


async def lazy_app(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI application of the pages."""
    from driftwatch_airflow.ui.app import application

    await application()(scope, receive, send)
