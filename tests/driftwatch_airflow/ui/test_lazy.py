"""The plugin file costs a task process no FastAPI, and its application is the real one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

from driftwatch_airflow.ui.lazy import lazy_app


def test_what_airflow_loads_in_every_task_imports_neither_the_pages_nor_their_libraries() -> None:
    program = (
        "import sys\n"
        "import driftwatch_airflow.ui.lazy, driftwatch_airflow.paths, driftwatch_airflow.buttons\n"
        "print(sorted({'fastapi', 'driftwatch_airflow.ui.app'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_request_is_answered_by_the_application() -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/no/such/page", "raw_path": b"/no/such/page", "query_string": b"", "root_path": "", "headers": [],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2),
    }  # fmt: skip
    asyncio.run(lazy_app(scope, receive, send))
    start = sent[0]
    assert start["status"] == 404
    assert dict(start["headers"])[b"x-content-type-options"] == b"nosniff"
