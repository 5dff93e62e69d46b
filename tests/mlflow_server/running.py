"""A real MLflow tracking server (`make mlflow-server` installs it)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.server_process import VAR, ServerVenv, free_ports, running

VENV = ServerVenv(VAR / "mlflow/venv/bin/python", VAR / "mlflow/installed", "mlflow-server")
TOKEN = "a-token-of-the-team"


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
