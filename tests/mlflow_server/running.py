"""A real MLflow tracking server (`make mlflow-server` installs it), and a door in front of it that asks for a token and fails as it is told."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from tests.server_process import VAR, ServerVenv, free_ports, running

VENV = ServerVenv(VAR / "mlflow/venv/bin/python", VAR / "mlflow/installed", "mlflow-server")
TOKEN = "a-token-of-the-team"
_OWN = ("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host", "date", "server")


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """The server with its database and files in `folder`. Gives its address."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    # As `mlflow server` starts it, without its own process before and without the one that runs jobs: half the time.
    environment = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "files"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }
    command = ["-m", "uvicorn", "mlflow.server.fastapi_app:app", "--host", "127.0.0.1", "--port", str(port)]
    with running(VENV, command, folder, f"{url}/health", environment):
        yield url


@dataclass
class Fault:
    """`kind`: a status as a number, `slow` (no answer for a second), `lost` (MLflow does it, and its answer is lost), `reset` (nothing is
    done). It meets the requests whose method and path match, `times` times."""

    kind: str
    target: str = "."
    times: int = 1000


@dataclass
class Door:
    """`asked`: method and path of each request that came through."""

    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def fault(self, target: str) -> str:
        self.asked.append(target)
        for fault in self.faults:
            if fault.times and re.search(fault.target, target):
                fault.times -= 1
                return fault.kind
        return ""


@contextmanager
def door_before(server: str) -> Iterator[Door]:
    """What a team has in front of its MLflow: it lets nobody in without the token."""
    door = Door()

    class Handler(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self._answer(401, {}, b"who are you?")
            kind = door.fault(f"{self.command} {self.path}")
            if kind.isdigit():
                return self._answer(int(kind), {}, b"told to fail")
            if kind == "slow":
                time.sleep(1)
            if kind not in ("reset", "slow"):
                kept = {k: v for k, v in self.headers.items() if k.lower() not in (*_OWN, "authorization")}
                found = httpx.request(self.command, server + self.path, content=body, headers=kept, timeout=60)
                if kind != "lost":
                    return self._answer(found.status_code, dict(found.headers), found.content)
            self.connection.shutdown(socket.SHUT_RDWR)
            return None

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _pass_on

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        door.url = f"http://127.0.0.1:{listening.server_address[1]}"
        yield door
        listening.shutdown()
