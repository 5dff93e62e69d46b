"""A whole day by `dag.test()`, as somebody runs it who looks for a mistake: in one process, with a database of its own. And a dry run of one
on a real Airflow.

They cost a minute of CPU. tests/dags runs parts of both DAGs in the same way, and the operators' tests have each task's dry run, so `make
test` leaves them out: `make test-faults` runs them.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.all_faults("it costs minutes of CPU"),
]


def test_dag_test_runs_a_day_in_one_process(site, days, tmp_path):
    day = days[4]
    program = """
import json, sys
from datetime import datetime, timezone
sys.path.insert(0, sys.argv[1])
import image_monitoring
dag = image_monitoring.__dict__["cats_vs_dogs_monitoring"]
run = dag.test(logical_date=datetime.fromisoformat(sys.argv[2]).replace(tzinfo=timezone.utc), run_conf={"dry_run": False})
print(json.dumps({"state": str(run.state)}))
"""
    env = site.world.env | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
    }
    subprocess.run(["airflow", "db", "migrate"], env=env, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-c", program, env["AIRFLOW__CORE__DAGS_FOLDER"], f"{day}T00:00:00"],
        env=env, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "success" in json.loads(done.stdout.strip().splitlines()[-1])["state"]
    assert site.storage.read_json(site.layout.day(day).performance)["day"] == str(day)


def test_a_dry_run_of_a_day_by_hand_creates_publishes_and_pays_nothing(site, days):
    day, before = days[5], site.outside()
    run_id = f"dry__{day}"
    assert site.run(site.monitor.monitoring_dag_id, run_id, None, day=str(day), dry_run=True) == "success"
    assert site.outside() == before
    states = site.states(site.monitor.monitoring_dag_id, run_id)
    assert states["create_annotation_pool"] == states["upload_features"] == states["check_performance"] == "skipped"
    assert states["predict_labels"] == "success"
