"""A real MLflow tracking server in its own virtual environment (`make mlflow-server` installs it), and a door in front of it that asks for a
token and fails as it is told."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

VENV = Path(__file__).parents[2] / "var" / "mlflow" / "venv"
TOKEN = "a-token-of-the-team"
_OWN = ("connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host", "date", "server")


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """The server with its database and files in `folder`. Gives its address."""
    if not (VENV.parent / "installed").exists():
        pytest.skip(f"MLflow is not installed in {VENV}: `make mlflow-server` does that where packages can be had")
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", folder / "mlflow.log"
    # As `mlflow server` starts it, without its own process before and without the one that runs jobs: half the time.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "files"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }
    where = ["--host", "127.0.0.1", "--port", str(port)]
    command = [str(VENV / "bin" / "python"), "-m", "uvicorn", "mlflow.server.fastapi_app:app", *where]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)
    try:
        _wait_for(f"{url}/health", process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, f"{url} is not ready after {seconds} s:\n{log.read_text()}"
        time.sleep(0.1)


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
