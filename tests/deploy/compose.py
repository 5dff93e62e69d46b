"""What docker-compose.yaml must have, and how the real tool reads it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SERVERS = {"init", "apiserver", "scheduler", "dag-processor", "triggerer"}
CELERY = {"worker", "flower"}
STAND_INS = {"toloka", "whylabs", "images"}
OTHERS = {"postgres", "redis"}
DESK = {"desk"}
ALL = SERVERS | CELERY | STAND_INS | OTHERS | DESK | {"check"}
EVERYWHERE = {
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CELERY__BROKER_URL",
    "AIRFLOW__CELERY__RESULT_BACKEND",
    "AIRFLOW_CONN_TOLOKA_DEFAULT",
    "AIRFLOW_CONN_WHYLABS_DEFAULT",
    "AIRFLOW_CONN_DRIFTWATCH_IMAGES",
    "AIRFLOW_CONN_DRIFTWATCH_DESK_DEFAULT",
    "AIRFLOW_CONN_LABEL_STUDIO_DEFAULT",
    "DRIFTWATCH_STORAGE",
    "DRIFTWATCH_MONITORS",
    "WHYLOGS_NO_ANALYTICS",
    "_WHYLABS_SKIP_CONFIG_READ",
}
SERVERS_ONLY = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
}
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")


def compose_command() -> list[str]:
    """docker-compose, or Docker's compose plug-in; either reads the file without an engine."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = ["docker", "compose"]
    if shutil.which("docker") and subprocess.run([*plugin, "version"], capture_output=True).returncode == 0:
        return plugin
    pytest.skip(
        "neither docker-compose nor docker's compose plug-in is installed (Debian: apt-get install docker-compose)"
    )


def config(compose_file: Path, env_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*compose_command(), "-f", str(compose_file), "--env-file", str(env_file), *arguments]
    # Nothing of this process's environment may fill a gap of the file.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
