"""Connections are read outside of tasks too, in a process of its own as a command is."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_connection_of_airflows_database_is_found_by_a_process_that_is_no_task(tmp_path):
    home = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    home.pop("_AIRFLOW_PROCESS_CONTEXT", None)
    script = (
        "from driftwatch.credentials import server_access\n"
        "from driftwatch_airflow.outside_tasks import as_a_server\n"
        "as_a_server()\n"
        "from airflow.models import Connection\n"
        "from airflow.utils.session import create_session\n"
        "import airflow.settings\n"
        "Connection.metadata.create_all(airflow.settings.engine)\n"
        "with create_session() as session:\n"
        "    session.add(Connection('cats', conn_type='http', host='models', port=8080))\n"
        "print(server_access('cats', 'model.endpoint.connection').address)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=home, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["http://models:8080"], done.stderr
