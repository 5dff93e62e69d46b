"""One process with Airflow for the files that run the monitoring DAG, which tests/conftest.py sends to one worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.airflow_database import new_database

from .dag_runs import DagRuns


@pytest.fixture(scope="session")
def dag_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagRuns]:
    home = tmp_path_factory.mktemp("dag-runs")
    new_database(tmp_path_factory, home / "airflow.db")
    made = DagRuns(home)
    try:
        yield made
    finally:
        made.stop()
