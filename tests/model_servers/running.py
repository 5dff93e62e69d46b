"""Real model servers, each a process of its own virtual environment on a free port of this machine; `make model-servers` installs them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

HERE = Path(__file__).parent
VENVS = HERE.parents[1] / "var" / "model-servers"
SIDE, CLASSES = 16, ("red", "green", "blue")


@contextmanager
def mlserver(folder: Path, versions: tuple[str, ...] = ("v1",), seconds: float = 0, side: int = SIDE) -> Iterator[str]:
    """MLServer with the model `colours` in these versions. Each answer takes `seconds` beside. Gives its address."""
    port, *others = _free_ports(3)
    ports = dict(zip(("http_port", "grpc_port", "metrics_port"), (port, *others), strict=True))
    settings = {"host": "127.0.0.1", **ports, "parallel_workers": 0, "metrics_endpoint": None, "debug": False}
    (folder / "settings.json").write_text(json.dumps(settings))
    for version in versions:
        (folder / version).mkdir()
        model = {
            "name": "colours",
            "implementation": "mlserver_model.Colours",
            "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, side, side, 3]}],
            "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, len(CLASSES)]}],
            "parameters": {"version": version},
        }
        (folder / version / "model-settings.json").write_text(json.dumps(model))
    command = ["-c", "from mlserver.cli import main; main()", "start", str(folder)]
    with _running("mlserver", command, folder, port, _told(seconds, side)) as url:
        yield url


@contextmanager
def kserve(folder: Path, seconds: float = 0, side: int = SIDE) -> Iterator[str]:
    """A server of KServe's SDK with the models `colours` and `colours_fp16`. Each answer takes `seconds` beside. Gives its address."""
    (port,) = _free_ports(1)
    with _running("kserve", [str(HERE / "kserve_model.py"), str(port)], folder, port, _told(seconds, side)) as url:
        yield url


@contextmanager
def _running(name: str, command: list[str], folder: Path, port: int, told: dict[str, str]) -> Iterator[str]:
    python = VENVS / name / "bin" / "python"
    if not (VENVS / name / "installed").exists():
        pytest.skip(
            f"{name} is not installed in {VENVS / name}: `make model-servers` does that where packages can be had"
        )
    url = f"http://127.0.0.1:{port}"
    log = folder / f"{name}.log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(HERE),
        "OMP_NUM_THREADS": "1",
        **told,
    }
    with log.open("wb") as file:
        process = subprocess.Popen([python, *command], cwd=folder, env=environment, stdout=file, stderr=file)
    try:
        _wait_for(f"{url}/v2/models/colours/ready", process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _told(seconds: float, side: int) -> dict[str, str]:
    return {"COLOURS_SECONDS": str(seconds), "COLOURS_SIDE": str(side)}


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
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


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on. All are held until the last is found, so they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return found
