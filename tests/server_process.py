"""A server of other people as a process of its own virtual environment, on this machine alone. `make model-servers` and `make mlflow-server`
install them."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

VAR = Path(__file__).parents[1] / "var"


@dataclass(frozen=True)
class ServerVenv:
    """`installed`: the file that is there when all packages are. `target`: of make, which installs them."""

    python: Path
    installed: Path
    target: str


@contextmanager
def running(
    venv: ServerVenv, command: list[str], folder: Path, ready: str, environment: Mapping[str, str]
) -> Iterator[None]:
    """`python *command` in `folder`, from when the address `ready` answers well. It is given no other environment than this one. The test is
    skipped where the packages are not installed."""
    if not venv.installed.exists():
        pytest.skip(f"{venv.installed} is missing: `make {venv.target}` makes it where packages can be had")
    log = folder / "server.log"
    plain = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [venv.python, *command], cwd=folder, env={**plain, **environment}, stdout=file, stderr=file
        )
    try:
        _wait_for(ready, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on. All are held until the last is found, so they differ."""
    with ExitStack() as held:
        return [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


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
