"""An Airflow database that is made once for all workers of a run: it costs five seconds of CPU."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.once import once_for_all_workers


def new_database(factory: pytest.TempPathFactory, path: Path) -> None:
    """Puts an empty Airflow database, an SQLite file, at `path`."""
    shutil.copyfile(once_for_all_workers(factory, "airflow-database", _migrated) / "airflow.db", path)


def _migrated(folder: Path) -> None:
    env = os.environ | {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
    }
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True)
