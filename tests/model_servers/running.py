"""Real model servers, each on a free port of this machine; `make model-servers` installs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.server_process import VAR, ServerVenv, free_ports, running

HERE = Path(__file__).parent
SIDE, CLASSES = 16, ("red", "green", "blue")


@contextmanager
def mlserver(folder: Path, versions: tuple[str, ...] = ("v1",), seconds: float = 0, side: int = SIDE) -> Iterator[str]:
    """MLServer with the model `colours` in these versions. Each answer takes `seconds` beside. Gives its address."""
    port, *others = free_ports(3)
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
    with _running("mlserver", command, folder, port, _told(seconds, side)):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def kserve(folder: Path, seconds: float = 0, side: int = SIDE) -> Iterator[str]:
    """A server of KServe's SDK with the models `colours` and `colours_fp16`. Each answer takes `seconds` beside. Gives its address."""
    (port,) = free_ports(1)
    with _running("kserve", [str(HERE / "kserve_model.py"), str(port)], folder, port, _told(seconds, side)):
        yield f"http://127.0.0.1:{port}"


def _running(
    name: str, command: list[str], folder: Path, port: int, told: dict[str, str]
) -> AbstractContextManager[None]:
    venv = VAR / "model-servers" / name
    environment = {"PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1", **told}
    ready = f"http://127.0.0.1:{port}/v2/models/colours/ready"
    return running(
        ServerVenv(venv / "bin" / "python", venv / "installed", "model-servers"), command, folder, ready, environment
    )


def _told(seconds: float, side: int) -> dict[str, str]:
    return {"COLOURS_SECONDS": str(seconds), "COLOURS_SIDE": str(side)}
