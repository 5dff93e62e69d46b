"""The branch of the real DAG with each alert_source, as `dag.test()` runs it: WhyLabs finds an anomaly that the verdict does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import pytest
import yaml

from driftwatch.layout import DayLayout
from driftwatch.monitor_files import load_monitor
from driftwatch.profiling.whylogs_profiles import performance_profile
from driftwatch.publishing.monitors import documents, put_documents
from driftwatch.storage import Storage

DAY = date(2026, 1, 20)
ASKED = "/data/analysis-results"
SOURCES = ("local", "whylabs", "either")
# The branch and what follows it, of the real DAG: the steps before are taken as done.
DAGS = """
import runpy
from airflow.sdk import DAG

for name in ("image_monitoring", "model_retraining"):
    for dag_id, dag in runpy.run_path("{folder}/" + name + ".py").items():
        if isinstance(dag, DAG) and name == "image_monitoring":
            whole, dag = dag, dag.partial_subset("check_performance", include_downstream=True, include_upstream=False)
            # "Not given" is a single object, of which the subset holds a copy.
            dag.get_task("trigger_retraining").run_after = whole.get_task("trigger_retraining").run_after
        if isinstance(dag, DAG):
            dag.fileloc = __file__
            globals()[dag_id] = dag
"""
PROGRAM = """
import json, runpy, sys
from datetime import datetime, timezone
dags = runpy.run_path(sys.argv[1])
states = {}
for source in sys.argv[3:]:
    run = dags[source + "_monitoring"].test(logical_date=datetime.fromisoformat(sys.argv[2]).replace(tzinfo=timezone.utc))
    states[source] = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
print(json.dumps(states))
"""


@pytest.fixture(scope="module")
def states(root: Path, tmp_path_factory, whylabs_servers) -> dict[str, dict[str, str]]:
    """The state of each task, for each source."""
    home = tmp_path_factory.mktemp("airflow")
    servers = {source: whylabs_servers() for source in SOURCES}
    storage = Storage(f"file://{home}/storage")
    example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    env = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "DRIFTWATCH_STORAGE": storage.uri,
        "DRIFTWATCH_MONITORS": str(home / "monitors"),
    }
    (home / "monitors").mkdir()
    (home / "dags").mkdir()
    (home / "dags/branches.py").write_text(DAGS.format(folder=root / "dags"))
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], env=env, check=True, capture_output=True)
    for source, server in servers.items():
        publish = {"sinks": ["whylabs"], "dataset": "model-1", "connection": source, "alert_source": source}
        publish["analysis_poll_seconds"] = 0.2
        path = home / "monitors" / f"{source}.yaml"
        path.write_text(yaml.safe_dump({**example, "name": source, "publish": publish}))
        env[f"AIRFLOW_CONN_{source.upper()}"] = json.dumps(server.connection())
        profile = performance_profile(["cat"] * 100, ["cat"] * 60 + ["dog"] * 40, [1.0] * 100, DAY)
        day = DayLayout(source, DAY)
        storage.write_bytes(day.performance_profile, profile)
        storage.write_json(day.performance, {"verdict": "ok", "labels": 100, "content_hash": "hash"} | FACTS)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DRIFTWATCH_STORAGE", storage.uri)
            put_documents(server.api(), documents(load_monitor(path), "ref-1"))
        server.api().upload_profile(profile, DAY)
        if source != "local":
            threading.Thread(target=analyse_when_asked, args=(server,), daemon=True).start()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home / "dags/branches.py"), f"{DAY}T00:00:00", *SOURCES],
        env=env, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    asked = {source: len(server.requests("POST", ASKED)) for source, server in servers.items()}
    assert asked["local"] == 0
    assert min(asked["whylabs"], asked["either"]) >= 2
    return json.loads(done.stdout.strip().splitlines()[-1])


def analyse_when_asked(server) -> None:
    """The analysis comes after the branch has asked for the first time, so that it must wait."""
    while not server.requests("POST", ASKED):
        time.sleep(0.3)
    server.http.post(f"/_sandbox/analyse?dataset=model-1&day={DAY}").raise_for_status()


FACTS = {
    "accuracy": {"value": 0.6, "low": 0.5, "high": 0.7, "n": 100},
    "holdout_accuracy": 0.9,
    "confidence": 0.95,
    "floor": 0.7,
    "sampled": 100,
    "ties": 0,
    "unclear": 0,
    "unanswered": 0,
    "model_version": "v0001-00000001",
    "reasons": [],
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("source", "retrains"), [("local", False), ("whylabs", True), ("either", True)], ids=SOURCES)
def test_the_branch_follows_the_source(states, source, retrains):
    expected = {"trigger_retraining": "skipped", "performance_ok": "success"}
    if retrains:
        expected = {"trigger_retraining": "success", "performance_ok": "skipped"}
    assert {name: states[source][name] for name in expected} == expected
    assert states[source]["check_performance"] == "success"
